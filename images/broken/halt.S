# A boot sector that prints "Loading" and halts.
    .code16
    .globl _start
_start:
    xor %ax, %ax
    mov %ax, %ds
    mov $message, %si
    cld
next:
    lodsb
    test %al, %al
    jz stop
    mov $0x0e, %ah              # print a character
    mov $0x0007, %bx
    int $0x10
    jmp next
stop:
    cli
    hlt
    jmp stop
message:
    .asciz "Loading"
