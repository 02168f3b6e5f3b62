internal import Converter
public import Foundation
internal import Preflight

/// Where a boot test's results go, beside what is printed.
public struct PreflightOutputs: Sendable {
    /// The report as JSON.
    public var report: String?
    /// JUnit XML, for continuous integration.
    public var junit: String?
    /// One page with everything on it.
    public var html: String?
    /// A folder for all of these and each machine's pictures, serial log and packets.
    public var evidence: String?

    public init(report: String? = nil, junit: String? = nil, html: String? = nil, evidence: String? = nil) {
        self.report = report
        self.junit = junit
        self.html = html
        self.evidence = evidence
    }

    /// Fails where a place can't be written to: before the boots rather than after them.
    public func check() throws {
        for path in [report, junit, html].compactMap(\.self) {
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            guard FileManager.default.isWritableFile(atPath: folder) else {
                throw PreflightRun.Failure(
                    message: "could not write '\(path)': its folder is not there, or can't be written to",
                    hint: "make the folder '\(folder)' first")
            }
        }
        if let evidence { try FileManager.default.createDirectory(atPath: evidence, withIntermediateDirectories: true) }
    }

    public func write(_ results: [PreflightRun.Result], created: Date) throws {
        let all = PreflightReport(images: results.map(\.report))
        let json = try JSON.encode(all)
        let page = Data(
            HTMLPage.render(results.map { ($0.report, $0.artifacts) }, title: Self.title(all), created: created).utf8)
        let xml = Data(JUnit.render(all).utf8)
        var files: [(Data, String)] = []
        if let report { files.append((json, report)) }
        if let junit { files.append((xml, junit)) }
        if let html { files.append((page, html)) }
        if let evidence {
            files += [
                (json, evidence + "/report.json"), (xml, evidence + "/junit.xml"), (page, evidence + "/index.html"),
            ]
            for (index, result) in results.enumerated() {
                let folder = evidence + "/" + Self.folderName(result.report, index, count: results.count)
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                files.append((Data(result.artifacts.serial), folder + "/serial.log"))
                if !result.artifacts.packets.isEmpty {
                    files.append((Data(result.artifacts.packets), folder + "/network.pcap"))
                }
                for (name, png) in result.artifacts.pictures { files.append((Data(png), folder + "/\(name).png")) }
            }
        }
        for (data, path) in files { try data.write(to: URL(fileURLWithPath: path), options: .atomic) }
    }

    private static func title(_ report: PreflightReport) -> String {
        guard report.images.count == 1, let only = report.images.first else {
            return "Boot check of \(report.images.count) machines"
        }
        return "Boot check of \(URL(fileURLWithPath: only.image).lastPathComponent)"
    }

    /// Two images of the same name in different folders get a number.
    private static func folderName(_ report: ImageReport, _ index: Int, count: Int) -> String {
        let name = URL(fileURLWithPath: report.image).deletingPathExtension().lastPathComponent
        return count == 1 ? name : "\(index + 1)-\(name)"
    }
}
