using System.Globalization;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Providers.Demo;

/// <summary>
/// A unit vector from hashed words and letter triples: texts that share words are near each other, which is enough to try retrieval.
/// </summary>
internal static class DemoEmbedding
{
    public const int DefaultDimensions = 256;

    private const float WordWeight = 2;

    public static float[] Of(EmbeddingInput input, int dimensions)
    {
        var vector = new float[dimensions];
        foreach (var word in WordsOf(input))
        {
            Add(vector, word, WordWeight);
            var padded = $"<{word}>";
            for (var start = 0; start + 3 <= padded.Length; start++)
            {
                Add(vector, padded.AsSpan(start, 3), 1);
            }
        }
        var length = MathF.Sqrt(vector.Sum(value => value * value));
        if (length == 0)
        {
            vector[0] = length = 1;
        }
        for (var i = 0; i < vector.Length; i++)
        {
            vector[i] /= length;
        }
        return vector;
    }

    private static IEnumerable<string> WordsOf(EmbeddingInput input) => input.Tokens is { } tokens
        ? tokens.Select(token => token.ToString(CultureInfo.InvariantCulture))
        : input.Text!.ToLowerInvariant().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
        .Select(word => word.Trim('.', ',', '!', '?', ';', ':', '"'));

    // The sign comes from the hash too, so that chance meetings cancel out.
    private static void Add(float[] vector, ReadOnlySpan<char> gram, float weight)
    {
        var hash = DemoSeed.Hash(gram);
        hash = unchecked((hash ^ (hash >> 15)) * 2246822519);
        vector[(hash >> 1) % (uint)vector.Length] += (hash & 1) == 0 ? weight : -weight;
    }
}
