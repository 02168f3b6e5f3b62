/// The character set of the PC's text mode: what its firmware's font has at each of the 256 places.
enum CodePage437 {
    /// In order from 0x00. Those that show nothing (0x00, 0x20, 0xFF) are spaces.
    static let scalars: [Unicode.Scalar] = Array(
        (" ☺☻♥♦♣♠•◘○◙♂♀♪♫☼" + "►◄↕‼¶§▬↨↑↓→←∟↔▲▼"
            + " !\"#$%&'()*+,-./" + "0123456789:;<=>?" + "@ABCDEFGHIJKLMNO" + "PQRSTUVWXYZ[\\]^_"
            + "`abcdefghijklmno" + "pqrstuvwxyz{|}~⌂"
            + "ÇüéâäàåçêëèïîìÄÅ" + "ÉæÆôöòûùÿÖÜ¢£¥₧ƒ" + "áíóúñÑªº¿⌐¬½¼¡«»"
            + "░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" + "└┴┬├─┼╞╟╚╔╩╦╠═╬╧" + "╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
            + "αßΓπΣσµτΦΘΩδ∞φε∩" + "≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ").unicodeScalars)

    /// The character that has that place.
    static func character(_ place: UInt8) -> Character {
        let index = Int(place)
        return index < scalars.count ? Character(scalars[index]) : " "
    }

    /// True for the places whose cell has one colour only: the spaces, and the full block.
    static func isUniform(_ place: UInt8) -> Bool { [0x00, 0x20, 0xDB, 0xFF].contains(place) }
}
