/// What a server answered, whole.
struct S3Response: Sendable {
    var status: Int
    /// By names in small letters.
    var headers: [String: String]
    var body: [UInt8]
    /// How often it was asked until this answer. What was asked before may have been done all the same.
    var attempts = 1

    var isSuccess: Bool { (200..<300).contains(status) }

    /// S3's own words for what went wrong.
    struct Problem: Equatable, Sendable {
        /// "NoSuchKey"; empty where the answer has none.
        var code = ""
        var message = ""
        /// The right one, where this is what went wrong.
        var region: String?
    }

    var problem: Problem {
        var problem = Problem()
        if let error = S3Element(parsing: body, limit: 64 << 10), error.name == "Error" {
            problem.code = Self.words(error.text("Code"))
            problem.message = Self.words(error.text("Message"))
            problem.region = error.text("Region").map { Self.words($0) }
        }
        if let region = headers["x-amz-bucket-region"] { problem.region = Self.words(region) }
        return problem
    }

    /// One line that fits into a message.
    private static func words(_ text: String?) -> String {
        let line = (text ?? "").split { $0.isNewline || $0.isWhitespace }.joined(separator: " ")
        return String(line.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }.prefix(200).map(Character.init))
    }
}
