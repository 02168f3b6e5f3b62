import Preflight
import Testing

struct LevelTests {
    @Test func levelsAreInTheOrderOfABoot() {
        #expect(Level.allCases == Level.allCases.sorted())
        #expect(Level.firmware < .login)
    }
}
