internal import Host
enum HostAccelerator { static func choose(_ note: (String)->Void) -> Accelerator { .tcg } }
