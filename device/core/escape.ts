/**
 * What gives a board's console back on a cable, alone and with a pause behind it. No frame is like
 * it: its first byte says that 125 more follow, and the end comes after 3.
 *
 * A person types it with: printf '\0~~~~\0' > /dev/ttyUSB0
 */
export const ESCAPE = '\0~~~~\0';
