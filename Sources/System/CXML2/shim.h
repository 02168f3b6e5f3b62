#include <libxml/xmlversion.h>
/* Debian's libxml2 uses ICU, whose headers clash with the ones that Foundation brings. Nothing of it is used here. */
#undef LIBXML_ICU_ENABLED
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlsave.h>

/* xmlFree is a mutable global function pointer, which Swift 6 won't touch. */
static inline void rehost_xml_free(void *pointer) { xmlFree(pointer); }
