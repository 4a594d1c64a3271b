using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Stoa.Assistants.Documents.Vectors;

/// <summary>Vectors of length 1 as the database keeps them: little-endian float32, and the signs alone.</summary>
internal static class VectorBytes
{
    /// <summary>Bytes of the upper half of a float32, which the database makes of it.</summary>
    public const int HalfSize = sizeof(float) / 2;

    public static byte[] Write(ReadOnlySpan<float> vector)
    {
        var bytes = new byte[vector.Length * sizeof(float)];
        for (var place = 0; place < vector.Length; place++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(place * sizeof(float)), vector[place]);
        }
        return bytes;
    }

    /// <summary>
    /// A digit for each number, 1 where it is above 0. Of two vectors the digits that differ grow with the angle between them, and the
    /// server counts those a hundred times faster than it could hand out the vectors.
    /// </summary>
    public static string Signature(ReadOnlySpan<float> vector) => string.Create(vector.Length, vector, static (digits, numbers) =>
    {
        for (var place = 0; place < digits.Length; place++)
        {
            digits[place] = numbers[place] > 0 ? '1' : '0';
        }
    });

    /// <summary>
    /// How much each number of a question matters, from 0 to 3, as digits of two and of one: a question of a few words has many numbers
    /// near 0, whose signs say nothing.
    /// </summary>
    public static (string Twos, string Ones) Weights(ReadOnlySpan<float> vector)
    {
        var whole = 0f;
        foreach (var number in vector)
        {
            whole += MathF.Abs(number);
        }
        var mean = whole / vector.Length;
        var (twos, ones) = (new char[vector.Length], new char[vector.Length]);
        for (var place = 0; place < vector.Length; place++)
        {
            var weight = mean > 0 ? (int)MathF.Min(3, MathF.Round(1.5f * MathF.Abs(vector[place]) / mean)) : 1;
            (twos[place], ones[place]) = (weight >= 2 ? '1' : '0', weight % 2 == 1 ? '1' : '0');
        }
        return (new(twos), new(ones));
    }

    /// <summary>
    /// The cosine, as both are of length 1, of a vector and the upper halves of another's float32, which are what a search reads: off by
    /// less than a hundredth of itself. 0 for vectors of different models' lengths.
    /// </summary>
    public static float Product(ReadOnlySpan<float> vector, ReadOnlySpan<byte> halves)
    {
        if (halves.Length != vector.Length * HalfSize)
        {
            return 0;
        }
        var other = MemoryMarshal.Cast<byte, ushort>(halves);
        var sums = Vector<float>.Zero;
        var place = 0;
        for (; place <= vector.Length - Vector<ushort>.Count; place += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(other[place..]), out var first, out var second);
            sums += new Vector<float>(vector[place..]) * Vector.AsVectorSingle(first << 16);
            sums += new Vector<float>(vector[(place + Vector<float>.Count)..]) * Vector.AsVectorSingle(second << 16);
        }
        var sum = Vector.Sum(sums);
        for (; place < vector.Length; place++)
        {
            sum += vector[place] * BitConverter.UInt32BitsToSingle((uint)other[place] << 16);
        }
        return sum;
    }
}
