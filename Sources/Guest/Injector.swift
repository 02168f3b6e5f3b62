/// One adaptation, written as plain straight-line code over a ``Draft``.
///
/// Running it twice must change nothing the second time.
public protocol Injector: Sendable {
    /// Kebab-case; shown in reports, used in `--skip`, never renamed.
    var name: String { get }

    func applies(to guest: Inspection) -> Bool

    func inject(into draft: inout Draft, guest: Inspection) throws
}
