#include <libvirt/libvirt.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

/* VIR_DOMAIN_EVENT_CALLBACK is a cast between function types, which Swift has no word for. */
static inline int rehost_register_lifecycle(virConnectPtr connection, virDomainPtr domain,
                                            virConnectDomainEventCallback callback, void *opaque,
                                            virFreeCallback release) {
    return virConnectDomainEventRegisterAny(connection, domain, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                            VIR_DOMAIN_EVENT_CALLBACK(callback), opaque, release);
}
