using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Stoa.Bench.Load;

/// <summary>
/// The kernel's readiness list with a wait in nanoseconds. One thread of our own costs less and wakes more exactly than the
/// runtime's sockets, and the generator must not be what is measured. Needs glibc 2.35.
/// </summary>
internal sealed partial class Epoll : IDisposable
{
    private const int Add = 1;
    private const uint Readable = 1;
    private const int Capacity = 256;

    // The kernel packs the struct on x86-64 only.
    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventSize - 8;

    private readonly int _handle = Check(Create(0));
    private readonly byte[] _events = new byte[Capacity * EventSize];

    internal void Watch(Socket socket, int number)
    {
        Span<byte> interest = stackalloc byte[EventSize];
        interest.Clear();
        MemoryMarshal.Write(interest, Readable);
        MemoryMarshal.Write(interest[DataOffset..], number);
        Check(Control(_handle, Add, (int)socket.Handle, ref MemoryMarshal.GetReference(interest)));
    }

    /// <summary>Waits until a socket is readable or the time (a stopwatch reading) has come; returns how many are.</summary>
    internal int Wait(long until)
    {
        var nanoseconds = Math.Max(0, (until - Stopwatch.GetTimestamp()) * (1_000_000_000 / Stopwatch.Frequency));
        var time = new TimeSpec { Seconds = nanoseconds / 1_000_000_000, Nanoseconds = nanoseconds % 1_000_000_000 };
        var ready = WaitFor(_handle, ref _events[0], Capacity, ref time, 0);
        return ready >= 0 ? ready : 0;
    }

    internal int NumberAt(int index) => MemoryMarshal.Read<int>(_events.AsSpan((index * EventSize) + DataOffset));

    public void Dispose() => _ = Close(_handle);

    private static int Check(int result) => result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int Control(int epoll, int operation, int descriptor, ref byte interest);

    [LibraryImport("libc", EntryPoint = "epoll_pwait2", SetLastError = true)]
    private static partial int WaitFor(int epoll, ref byte events, int capacity, ref TimeSpec timeout, nint signals);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
