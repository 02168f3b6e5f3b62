import Guest

/// INF files of our own, built as virtio-win's are.
enum SampleINF {
    static let viostor = #"""
        ; a driver for disks
        [Version]
        Signature="$Windows NT$"
        Class=SCSIAdapter
        ClassGUID={4D36E97B-E325-11CE-BFC1-08002BE10318}
        Provider=%VENDOR%
        DriverVer=11/04/2021,100.90.104.21500
        CatalogFile=viostor.cat
        PnpLockDown = 1

        [DestinationDirs]
        viostor_copy = 13

        [SourceDisksNames]
        1 = %disk%,,,

        [SourceDisksFiles]
        viostor.sys = 1

        [Manufacturer]
        %VENDOR% = models,NTamd64.10.0

        [models.NTamd64.10.0]
        %RHELScsi.DeviceDesc% = rhelscsi_inst, PCI\VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00
        %RHELScsi.DeviceDesc% = rhelscsi_inst, PCI\VEN_1AF4&DEV_1042&SUBSYS_11001AF4&REV_01, PCI\VEN_1AF4&DEV_1042

        [rhelscsi_inst]
        CopyFiles = viostor_copy

        [viostor_copy]
        viostor.sys,,,2

        [rhelscsi_inst.Services]
        AddService = viostor, 0x00000002, service_section, event_section

        [service_section]
        DisplayName = %RHELScsi.DeviceDesc%
        ServiceType = 1
        StartType = 0
        ErrorControl = 1
        ServiceBinary = %13%\viostor.sys
        LoadOrderGroup = SCSI miniport
        AddReg = pnpsafe

        [pnpsafe]
        HKR, "Parameters\PnpInterface", "5", 0x00010001, 0x00000001
        HKR, "Parameters", "BusType", %REG_DWORD%, 0x00000001

        [event_section]
        AddReg = event_values

        [event_values]
        HKR,,EventMessageFile,0x00020000,"%%SystemRoot%%\System32\IoLogMsg.dll"
        HKR,,TypesSupported,0x00010001,7

        [Strings]
        VENDOR = "Sample"
        disk = "Sample disk"
        RHELScsi.DeviceDesc = "Sample VirtIO SCSI controller"
        REG_DWORD = 0x00010001

        """#

    static let netkvm = #"""
        [Version]
        Signature = "$Windows NT$"
        Class = Net
        CatalogFile = netkvm.cat
        ClassGUID = {4d36e972-e325-11ce-bfc1-08002be10318}
        Provider = %VENDOR%
        DriverVer = 11/04/2021,100.90.104.21500

        [Manufacturer]
        %VENDOR% = NetKVM, NTamd64.6.1, NTamd64.10.0

        [NetKVM.NTamd64.6.1]
        %kvmnet6.DeviceDesc% = kvmnet6.ndi, PCI\VEN_1AF4&DEV_1000&SUBSYS_00011AF4&REV_00

        [NetKVM.NTamd64.10.0]
        %kvmnet6.DeviceDesc% = kvmnet6.ndi, PCI\VEN_1AF4&DEV_1000&SUBSYS_00011AF4&REV_00
        %kvmnet6.DeviceDesc% = kvmnet6.ndi, PCI\VEN_1AF4&DEV_1041&SUBSYS_11001AF4&REV_01

        [kvmnet6.ndi]
        CopyFiles = missing

        [kvmnet6.ndi.NTamd64]
        Characteristics = 0x84
        BusType = 5
        AddReg = kvmnet6.Reg, Parameters
        CopyFiles = kvmnet6.CopyFiles, kvmnet6.Protocol

        [kvmnet6.Reg]
        HKR, , BusNumber, 0, "0"
        HKR, Ndi, Service, 0, "netkvm"
        HKR, Ndi\Interfaces, UpperRange, 0, "ndis5"

        [Parameters]
        HKR, Ndi\Params\MTU, ParamDesc, 0, %MTU%
        HKR, Ndi\Params\MTU, Default, 0, "1500"

        [kvmnet6.CopyFiles]
        netkvm.sys,,,2
        [kvmnet6.Protocol]
        netkvmco.exe

        [kvmnet6.ndi.NTamd64.Services]
        AddService = netkvm, 2, kvmnet6.Service, kvmnet6.EventLog

        [kvmnet6.Service]
        DisplayName = %kvmnet6.Service.DispName%
        ServiceType = 1
        StartType = 3
        ErrorControl = 1
        ServiceBinary = %12%\netkvm.sys
        LoadOrderGroup = NDIS

        [kvmnet6.EventLog]
        AddReg = kvmnet6.AddEventLog.Reg

        [kvmnet6.AddEventLog.Reg]
        HKR, , EventMessageFile, 0x00020000, "%%SystemRoot%%\System32\netevent.dll"

        [DestinationDirs]
        kvmnet6.CopyFiles = 12
        kvmnet6.Protocol = 11

        [Strings]
        VENDOR = "Sample"
        kvmnet6.DeviceDesc = "Sample VirtIO Ethernet adapter"
        kvmnet6.Service.DispName = "Sample VirtIO Ethernet service"
        MTU = "Init.MTU size"

        """#
}

enum SampleWindows {
    static let windows10 = WindowsVersion(
        major: 10, minor: 0, build: 19045, productType: .client, architecture: .amd64, name: "Windows 10 Pro")
    static let windows7x86 = WindowsVersion(
        major: 6, minor: 1, build: 7601, productType: .client, architecture: .x86, name: "Windows 7 Professional")
    static let server2019 = WindowsVersion(
        major: 10, minor: 0, build: 17763, productType: .server, architecture: .amd64,
        name: "Windows Server 2019 Standard")
}
