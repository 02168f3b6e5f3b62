/// A machine that was switched on. What it says is in its ``MachineFiles``; the rest is asked here.
protocol RunningMachine: AnyObject, Sendable {
    /// For the report: "qemu with tcg".
    var runner: String { get }
    var files: MachineFiles { get }
    /// What happened since the last call.
    func takeEvents() -> [MachineEvent]
    /// Processor time used so far, in seconds.
    func cpuSeconds() async -> Double
    /// Seconds that its threads were ready to run and had no processor: a busy host is no rest of the guest's. 0 where
    /// that can't be told.
    func waitedSeconds() async -> Double
    /// Of all its disks, since power on.
    func diskActivity() async -> DiskActivity
    /// A picture in ``MachineFiles/screen``; in VGA text mode its memory in ``MachineFiles/videoMemory``, too.
    /// - Returns: whether there is a picture.
    func takePicture() async -> Bool
    /// Ends the machine and returns when it is gone.
    func stop() async
}

struct DiskActivity: Equatable, Sendable {
    /// Reads and writes.
    var operations = 0
    var bytesRead = 0
}

enum MachineEvent: Equatable, Sendable {
    /// The guest reset itself, on purpose or by a fault.
    case reset
    case poweredOff
    /// The machine can't go on: the host's disk is full, an image is corrupt, QEMU died.
    case broken(String)
    /// The guest's kernel told the hypervisor that it panicked (pvpanic).
    case panicked
    /// The guest opened the agent's port.
    case agentConnected
}
