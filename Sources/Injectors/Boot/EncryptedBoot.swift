import Guest

extension Inspection {
    /// Whether a device lies inside an encrypted one, directly or as a logical volume.
    func isEncrypted(_ device: String) -> Bool {
        let opened = FileSystem.unlockedName(of: "")
        if device.hasPrefix(opened) { return true }
        let isVolume = device.split(separator: "/").count > 2 && FileSystem(device: device, type: "").partition == nil
        let members = fileSystems.filter { $0.type == "LVM2_member" }
        return isVolume && !members.isEmpty && members.allSatisfy { $0.device.hasPrefix(opened) }
    }
}
