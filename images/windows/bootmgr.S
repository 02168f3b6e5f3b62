# Stands in for Windows' boot manager: prints on the first serial port what it was started with, and halts. One line:
#   BOOTMGR segment=2000 drive=80 hidden=00000800 signature=4e4f4850
# hidden: sectors in front of the volume, by the boot record at 0:7c00; signature: of the disk that it was started from.
    .code16
    .globl _start
_start:
    mov %cs, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %dl, drive
    cld
    # 115200 bauds, 8 bits, no parity.
    mov $0x3fb, %dx
    mov $0x83, %al
    out %al, %dx
    mov $0x3f8, %dx
    mov $1, %al
    out %al, %dx
    inc %dx
    xor %al, %al
    out %al, %dx
    mov $0x3fb, %dx
    mov $3, %al
    out %al, %dx

    mov $first, %si
    call text
    mov %cs, %ax
    call word
    mov $second, %si
    call text
    mov drive, %al
    call byte
    mov $third, %si
    call text
    push %ds
    xor %ax, %ax
    mov %ax, %ds
    mov 0x7c1e, %bx
    mov 0x7c1c, %cx
    pop %ds
    mov %bx, %ax
    call word
    mov %cx, %ax
    call word
    mov $fourth, %si
    call text
    # The disk's first sector, by the extended read.
    mov %cs, packet+6
    mov $packet, %si
    mov drive, %dl
    mov $0x42, %ah
    int $0x13
    jc failed
    mov sector+0x1ba, %ax
    call word
    mov sector+0x1b8, %ax
    call word
    mov $end, %si
    call text
    jmp stop
failed:
    mov $error, %si
    call text
stop:
    cli
    hlt
    jmp stop

text:
    lodsb
    test %al, %al
    jz done
    call character
    jmp text
word:
    push %ax
    mov %ah, %al
    call byte
    pop %ax
byte:
    push %ax
    shr $4, %al
    call digit
    pop %ax
digit:
    and $15, %al
    cmp $10, %al
    jb decimal
    add $39, %al
decimal:
    add $48, %al
character:
    push %ax
    mov $0x3fd, %dx
wait:
    in %dx, %al
    test $0x20, %al
    jz wait
    mov $0x3f8, %dx
    pop %ax
    out %al, %dx
done:
    ret

first:
    .asciz "BOOTMGR segment="
second:
    .asciz " drive="
third:
    .asciz " hidden="
fourth:
    .asciz " signature="
error:
    .asciz "unreadable"
end:
    .asciz "\r\n"
drive:
    .byte 0
    .balign 4
packet:
    .byte 16, 0
    .word 1, sector, 0
    .quad 0
    .balign 16
sector:
    .fill 512
