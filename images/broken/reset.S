# A boot sector that resets the machine: an interrupt without a table of them is a triple fault.
    .code16
    .globl _start
_start:
    xor %ax, %ax
    mov %ax, %ds
    lidt no_table
    int $3
no_table:
    .word 0
    .long 0
