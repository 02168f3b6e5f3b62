import Guest
import GuestTesting
import Testing

struct GPTTests {
    @Test func guidTextRoundTrips() {
        #expect(GPT.efiSystem.description == "c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
        #expect(GPT.biosBoot.bytes.elementsEqual("Hah!IdontNeedEFI".utf8))
    }

    @Test func crcMatchesThePublishedCheckValue() {
        #expect(CRC32.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
    }
}
