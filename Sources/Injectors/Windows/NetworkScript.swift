/// The program that gives a Windows guest's new cards their static addresses: PowerShell, as Windows 7 has it, for finding a
/// card by its MAC address, and netsh for the rest.
struct NetworkScript {
    struct Card {
        /// nil: the only one there is.
        var mac: String?
        var network: StaticNetwork
        var routes: [WindowsNetwork.Route]
    }

    var cards: [Card]

    /// With line ends of Windows, in ASCII: only addresses and numbers of the guest are in it.
    var text: String {
        var lines = [
            "# Gives the new network cards the static addresses that the old ones had.",
            "$ErrorActionPreference = 'Continue'",
            "$failed = 0",
            "function Find-Card($mac) {",
            "    # Drivers may still be on their way: two minutes at most.",
            "    for ($try = 0; $try -lt 24; $try++) {",
            "        $cards = @(Get-WmiObject Win32_NetworkAdapter | Where-Object {",
            "            $_.MACAddress -and $_.PNPDeviceID -like 'PCI\\*' -and (-not $mac -or $_.MACAddress -eq $mac) })",
            "        if ($cards.Count -eq 1) { return $cards[0].InterfaceIndex }",
            "        Start-Sleep -Seconds 5",
            "    }",
            "    Write-Output \"$($cards.Count) cards match '$mac'\" | Out-Host",
            "    return $null",
            "}",
            "function Invoke-Netsh {",
            "    & netsh.exe $args",
            "    if ($LASTEXITCODE -ne 0) { $script:failed = 1; Write-Output \"failed: netsh $args\" | Out-Host }",
            "}",
        ]
        for card in cards {
            lines.append("$card = Find-Card '\(card.mac?.uppercased() ?? "")'")
            lines.append("if ($card -eq $null) { $failed = 1 } else {")
            lines += commands(for: card).map { "    Invoke-Netsh \($0)" }
            lines.append("}")
        }
        lines.append("exit $failed")
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    private func commands(for card: Card) -> [String] {
        let all = card.network.addresses.compactMap(Prefixed.init)
        let gateways = card.network.gateways.compactMap { IPAddress($0)?.canonical }
        var lines: [String] = []
        for (index, address) in all.filter({ !$0.isIPv6 }).enumerated() {
            let way = index == 0 ? gateways.first.map { " gateway=\($0)" } ?? "" : ""
            let verb = index == 0 ? "set address" : "add address"
            let source = index == 0 ? " source=static" : ""
            lines.append(
                "interface ipv4 \(verb) \"name=$card\"\(source) address=\(address.address) mask=\(address.mask)\(way)")
        }
        for gateway in gateways.dropFirst() {
            lines.append("interface ipv4 add address \"name=$card\" gateway=\(gateway) gwmetric=2")
        }
        for address in all where address.isIPv6 {
            lines.append("interface ipv6 add address \"interface=$card\" address=\(address.address)/\(address.length)")
        }
        for (family, servers) in [
            ("ipv4", card.network.nameServers.compactMap { IPAddress($0) }.filter { !$0.isIPv6 }),
            ("ipv6", card.network.nameServers.compactMap { IPAddress($0) }.filter(\.isIPv6)),
        ] {
            for (index, server) in servers.enumerated() {
                lines.append(
                    "interface \(family) add dnsservers \"name=$card\" address=\(server.canonical) index=\(index + 1)"
                        + " validate=no")
            }
        }
        for route in card.routes {
            guard let length = Address.prefixLength(ofMask: route.mask),
                let destination = IPAddress(route.destination)?.canonical,
                let gateway = IPAddress(route.gateway)?.canonical
            else { continue }
            lines.append(
                "interface ipv4 add route prefix=\(destination)/\(length) \"interface=$card\""
                    + " nexthop=\(gateway)")
        }
        if let size = card.network.mtu.first.flatMap({ Int($0) }), (576...65_535).contains(size) {
            lines.append("interface ipv4 set subinterface $card mtu=\(size) store=persistent")
        }
        return lines
    }

    /// An address and its prefix length, both well-formed.
    private struct Prefixed {
        var address: String
        var length: Int
        var isIPv6: Bool

        init?(_ text: String) {
            guard let parsed = IPAddress(text) else { return nil }
            let parts = text.split(separator: "/").map { String($0).trimmed }
            address = parsed.canonical
            isIPv6 = parsed.isIPv6
            let whole = isIPv6 ? 128 : 32
            length = parts.count > 1 ? Int(parts[1]) ?? whole : whole
            guard (0...whole).contains(length) else { return nil }
        }

        /// As dotted numbers.
        var mask: String {
            let bits = length == 0 ? 0 : UInt32.max << UInt32(32 - length)
            return (0..<4).map { String(bits >> UInt32(24 - 8 * $0) & 0xFF) }.joined(separator: ".")
        }
    }
}
