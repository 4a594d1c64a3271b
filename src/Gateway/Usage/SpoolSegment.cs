using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Numerics;

namespace Stoa.Gateway.Usage;

/// <summary>
/// One file of the spool, mapped into memory: records of the form length (4 bytes), checksum (4 bytes), payload, one after
/// another, zeros behind the last. The length is written last, so a record is whole or not there when the process is killed;
/// the pages belong to the operating system and outlive it.
/// </summary>
internal sealed unsafe class SpoolSegment : IDisposable
{
    private const int HeaderBytes = 8;

    // Some processors write a length in one piece only where it is aligned.
    private const int Alignment = 8;

    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor view;
    private readonly byte* start;
    private readonly int size;
    private int written;

    private SpoolSegment(string path, long number, int size)
    {
        Path = path;
        Number = number;
        this.size = size;
        // Allocated, not sparse: a full disk is an exception here instead of a fatal signal at the first write to the mapping.
        var stream = File.Exists(path)
            ? new FileStream(path, FileMode.Open, FileAccess.ReadWrite)
            : new FileStream(
                path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, PreallocationSize = size });
        file = MemoryMappedFile.CreateFromFile(
            stream, null, size, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false);
        view = file.CreateViewAccessor(0, size);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
    }

    public string Path { get; }

    public long Number { get; }

    /// <summary>How far records are committed, in bytes from the start.</summary>
    public int Written => Volatile.Read(ref written);

    /// <summary>Opens or makes a segment and finds the end of what it holds.</summary>
    public static SpoolSegment Open(string directory, long number, int size)
    {
        var path = System.IO.Path.Combine(directory, $"{number:D10}.spool");
        var existing = new FileInfo(path);
        var segment = new SpoolSegment(path, number, existing.Exists ? (int)Math.Max(existing.Length, HeaderBytes) : size);
        while (segment.RecordAt(segment.written) is { IsEmpty: false } record)
        {
            segment.written = Behind(segment.written, record.Length);
        }
        return segment;
    }

    /// <summary>False when the segment has no room left for it. Callers take turns (the spool holds a lock).</summary>
    public bool TryAppend(ReadOnlySpan<byte> payload)
    {
        var next = Behind(written, payload.Length);
        if (next > size)
        {
            return false;
        }
        var target = new Span<byte>(start + written, HeaderBytes + payload.Length);
        payload.CopyTo(target[HeaderBytes..]);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], Checksum(payload));
        // The barrier keeps the length behind the payload for whoever reads the pages after a kill.
        Volatile.Write(ref *(int*)(start + written), payload.Length);
        Volatile.Write(ref written, next);
        return true;
    }

    /// <summary>The record that starts at this offset, or empty when there is none (yet).</summary>
    public ReadOnlySpan<byte> RecordAt(int offset)
    {
        if (offset + HeaderBytes > size)
        {
            return default;
        }
        var header = new ReadOnlySpan<byte>(start + offset, HeaderBytes);
        var length = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (length <= 0 || length > size - offset - HeaderBytes)
        {
            return default;
        }
        var payload = new ReadOnlySpan<byte>(start + offset + HeaderBytes, length);
        return BinaryPrimitives.ReadUInt32LittleEndian(header[4..]) == Checksum(payload) ? payload : default;
    }

    /// <summary>The offset behind a record of this length that starts at <paramref name="offset"/>.</summary>
    public static int Behind(int offset, int length) => offset + HeaderBytes + ((length + Alignment - 1) & -Alignment);

    public void Flush() => view.Flush();

    public void Dispose()
    {
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        file.Dispose();
    }

    private static uint Checksum(ReadOnlySpan<byte> payload)
    {
        var sum = uint.MaxValue;
        while (payload.Length >= 8)
        {
            sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(payload));
            payload = payload[8..];
        }
        foreach (var value in payload)
        {
            sum = BitOperations.Crc32C(sum, value);
        }
        return ~sum;
    }
}
