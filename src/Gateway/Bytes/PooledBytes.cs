using System.Buffers;

namespace Stoa.Gateway.Bytes;

/// <summary>A growing byte buffer rented from the shared pool; also a target for JSON writers.</summary>
internal sealed class PooledBytes(int capacity) : IBufferWriter<byte>, IDisposable
{
    private byte[] array = ArrayPool<byte>.Shared.Rent(capacity);

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Span => array.AsSpan(0, Length);

    /// <summary>The same bytes, to be changed in place.</summary>
    public Span<byte> Writable => array.AsSpan(0, Length);

    public ReadOnlyMemory<byte> Memory => array.AsMemory(0, Length);

    /// <summary>Room for at least <paramref name="minimum"/> more bytes.</summary>
    public Memory<byte> Free(int minimum = 1)
    {
        if (array.Length - Length < minimum)
        {
            Grow(minimum);
        }
        return array.AsMemory(Length);
    }

    /// <summary>Says that <paramref name="count"/> bytes were written to <see cref="Free"/>.</summary>
    public void Add(int count) => Length += count;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Free(bytes.Length).Span);
        Length += bytes.Length;
    }

    /// <summary>Drops the first <paramref name="count"/> bytes and moves the rest to the front.</summary>
    public void DropFirst(int count)
    {
        array.AsSpan(count, Length - count).CopyTo(array);
        Length -= count;
    }

    public void Clear() => Length = 0;

    public void Dispose()
    {
        if (array.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(array);
            array = [];
            Length = 0;
        }
    }

    void IBufferWriter<byte>.Advance(int count) => Add(count);

    Memory<byte> IBufferWriter<byte>.GetMemory(int sizeHint) => Free(Math.Max(sizeHint, 1));

    Span<byte> IBufferWriter<byte>.GetSpan(int sizeHint) => Free(Math.Max(sizeHint, 1)).Span;

    private void Grow(int minimum)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(array.Length * 2, Length + minimum));
        Span.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(array);
        array = larger;
    }
}
