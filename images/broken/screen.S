# A boot sector that shows a screen and halts. What it shows lies 1 MiB into the disk: 1024x768 pixels of
# 32 bits or, with --defsym text=1, 80x25 cells of VGA text. Windows draws past the BIOS, too: nothing of it
# is seen on SeaBIOS's serial port.
    .code16
    .globl _start

    .set first_sector, 2048
    .set chunk_sectors, 64      # 32 KiB: what a BIOS surely reads at once
    .set chunk_segment, 0x1000
    .set vbe_info, 0x8000
    .set mode_info, 0x8400

_start:
    cli
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7c00, %sp
    sti
    cld
    mov %dl, drive

.ifdef text
    mov $0x0003, %ax            # 80x25 text
    int $0x10
    mov $0x01, %ah              # no cursor
    mov $0x2000, %cx
    int $0x10
    call read
    mov $chunk_segment, %ax
    mov %ax, %ds
    mov $0xb800, %ax
    mov %ax, %es
    xor %si, %si
    xor %di, %di
    mov $(80 * 25), %cx
    rep movsw
    jmp stop
.else
    mov $vbe_info, %di
    movl $0x32454256, (%di)     # "VBE2": asks for version 2
    mov $0x4f00, %ax
    int $0x10
    cmp $0x004f, %ax
    jne failed
    lfs vbe_info + 14, %si      # the list of modes, ending with -1
next_mode:
    lodsw %fs:(%si), %ax
    mov %ax, %cx
    cmp $0xffff, %cx
    je failed
    mov $mode_info, %di
    mov $0x4f01, %ax
    int $0x10
    cmp $0x004f, %ax
    jne next_mode
    testb $0x80, mode_info      # has a linear frame buffer
    jz next_mode
    cmpw $1024, mode_info + 18
    jne next_mode
    cmpw $768, mode_info + 20
    jne next_mode
    cmpb $32, mode_info + 25
    jne next_mode
    mov $0x4f02, %ax
    mov %cx, %bx
    or $0x4000, %bx             # with the linear frame buffer
    int $0x10
    mov mode_info + 40, %edi    # its address

    mov $(1024 * 768 * 4 / 512 / chunk_sectors), %bp
next_chunk:
    call read
    call flat
    mov $(chunk_segment * 16), %esi
    mov $(chunk_sectors * 512 / 4), %ecx
    addr32 rep movsl
    addl $chunk_sectors, packet_sector
    dec %bp
    jnz next_chunk
    jmp stop

# "Unreal" mode: DS and ES from 0 to 4 GiB. The BIOS may undo it at each call.
flat:
    cli
    lgdt table_register
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    mov $8, %bx
    mov %bx, %ds
    mov %bx, %es
    and $0xfe, %al
    mov %eax, %cr0
    xor %bx, %bx
    mov %bx, %ds
    mov %bx, %es
    sti
    ret
.endif

read:
    pushal
    mov $0x42, %ah
    mov drive, %dl
    mov $packet, %si
    int $0x13
    popal
    jc failed
    ret

failed:
    mov $0x0e21, %ax            # prints "!"
    mov $0x0007, %bx
    int $0x10
stop:
    cli
    hlt
    jmp stop

packet:
    .byte 16, 0
    .word chunk_sectors
    .word 0, chunk_segment
packet_sector:
    .quad first_sector
drive:
    .byte 0

.ifndef text
    .balign 8
table:
    .quad 0
    .quad 0x008f92000000ffff    # data, base 0, limit 4 GiB
table_register:
    .word 15
    .long table
.endif
