import Foundation
import Testing

@testable import Preflight

/// The schema names what the report has: a field that is added must be added there too.
@Suite struct SchemaTests {
    private typealias Object = [String: Any]

    private func schema() throws -> Object {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../docs/reference/preflight.schema.json")
        return try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? Object)
    }

    /// A small reader of just what this schema uses.
    private func check(_ value: Any, _ rule: Object, _ all: Object, at place: String) {
        if let name = (rule["$ref"] as? String)?.split(separator: "/").last, let next = all[String(name)] as? Object {
            return check(value, next, all, at: place)
        }
        if let names = rule["enum"] as? [String] { #expect((value as? String).map(names.contains) == true, "\(place)") }
        if let name = rule["const"] as? String { #expect(value as? String == name, "\(place)") }
        switch rule["type"] as? String {
        case "object":
            guard let value = value as? Object else { return #expect(Bool(false), "\(place)") }
            for name in rule["required"] as? [String] ?? [] { #expect(value[name] != nil, "\(place).\(name)") }
            let known = rule["properties"] as? Object ?? [:]
            for (name, part) in value {
                let next = known[name] as? Object ?? rule["additionalProperties"] as? Object
                #expect(next != nil, "\(place).\(name) is missing in the schema")
                if let next { check(part, next, all, at: "\(place).\(name)") }
            }
        case "array":
            guard let value = value as? [Any], let items = rule["items"] as? Object else {
                return #expect(Bool(false), "\(place)")
            }
            for part in value { check(part, items, all, at: place + "[]") }
        case "string": #expect(value is String, "\(place)")
        case "number", "integer", "boolean": #expect(value is NSNumber, "\(place)")
        default: break
        }
    }

    @Test func samplesFit() throws {
        let schema = try schema()
        let all = try #require(schema["$defs"] as? Object)
        let report = PreflightReport(images: Samples.batch().map(\.0))
        let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(report))
        check(json, schema, all, at: "report")
    }

    @Test func namesAreComplete() throws {
        let all = try #require(try schema()["$defs"] as? Object)
        func names(_ object: String, _ property: String? = nil) -> [String] {
            var rule = all[object] as? Object
            if let property { rule = (rule?["properties"] as? Object)?[property] as? Object }
            return rule?["enum"] as? [String] ?? []
        }
        #expect(names("verdict") == Verdict.allCases.map(\.rawValue))
        #expect(names("level") == Level.allCases.map(\.rawValue))
        #expect(names("source").allSatisfy { Evidence.Source(rawValue: $0) != nil } && names("source").count == 8)
        #expect(names("machine", "firmware") == Machine.Firmware.allCases.map(\.rawValue))
        #expect(names("machine", "chipset") == Machine.Chipset.allCases.map(\.rawValue))
        #expect(names("machine", "bus") == Machine.DiskBus.allCases.map(\.rawValue))
        #expect(names("machine", "card") == Machine.Card.allCases.map(\.rawValue))
    }
}
