using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Stoa.Gateway.Bytes;

/// <summary>Lines of a file of JSON, one at a time.</summary>
internal static class JsonLines
{
    public const int MaxBytes = 32 << 20;

    /// <summary>Empty lines too, so that they can be counted.</summary>
    /// <exception cref="InvalidDataException">A line is longer than <see cref="MaxBytes"/>.</exception>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(Stream file, [EnumeratorCancellation] CancellationToken ct)
    {
        var reader = PipeReader.Create(file, new(bufferSize: 64 << 10));
        while (true)
        {
            var read = await reader.ReadAsync(ct);
            var rest = read.Buffer;
            while (rest.PositionOf((byte)'\n') is { } end)
            {
                yield return rest.Slice(0, end).ToArray();
                rest = rest.Slice(rest.GetPosition(1, end));
            }
            if (rest.Length > MaxBytes)
            {
                throw new InvalidDataException("A line is too long");
            }
            if (read.IsCompleted)
            {
                yield return rest.ToArray();
                yield break;
            }
            reader.AdvanceTo(rest.Start, rest.End);
        }
    }

    public static bool IsBlank(ReadOnlyMemory<byte> line) => line.Span.Trim(" \t\r"u8).IsEmpty;
}
