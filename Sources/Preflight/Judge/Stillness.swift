/// Counts how still a machine is: processor time and rest since anything was seen to happen.
struct StillnessClock {
    /// What can be seen to change, each as a number that only has to differ.
    struct Signs: Equatable {
        var serialBytes = 0
        var picture: UInt64 = 0
        var diskOperations = 0
        var frames = 0
    }

    var still = Judge.Stillness()
    private var lastWait = 0.0
    private var last = Signs()
    private var lastMoment = Judge.Moment(time: 0, cpu: 0)
    private var level: Level?

    /// Less of one core than this is rest: an idle guest under emulation takes a few percent.
    private static let restShare = 0.2

    /// - Parameter waited: seconds in all that the machine wanted a processor and got none.
    mutating func tick(_ signs: Signs, level: Level?, waited: Double = 0, at moment: Judge.Moment) {
        let time = moment.time - lastMoment.time
        let cpu = max(0, moment.cpu - lastMoment.cpu)
        let isResting = cpu + max(0, waited - lastWait) < time * Self.restShare
        lastWait = waited
        if signs != last {
            still.busy = 0
            still.idle = 0
        } else {
            still.busy += cpu
            if isResting { still.idle += time }
        }
        if level != self.level { still.idleSinceLevel = 0 } else if isResting { still.idleSinceLevel += time }
        last = signs
        lastMoment = moment
        self.level = level
    }
}
