using System.Buffers;

namespace Stoa.Platform.Storage;

/// <summary>Copies what comes, as long as it is not too much.</summary>
public static class BoundedCopy
{
    public const int BufferBytes = 64 << 10;

    /// <summary>How much it was; null when it is more than <paramref name="maxBytes"/>.</summary>
    public static async Task<long?> RunAsync(Stream from, Stream to, long maxBytes, CancellationToken ct)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var length = 0L;
            while (await from.ReadAsync(buffer, ct) is > 0 and var count)
            {
                length += count;
                if (length > maxBytes)
                {
                    return null;
                }
                await to.WriteAsync(buffer.AsMemory(0, count), ct);
            }
            return length;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
