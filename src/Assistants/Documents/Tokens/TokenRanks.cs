using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Stoa.Assistants.Documents.Tokens;

/// <summary>The vocabulary of cl100k_base: which bytes are a token, and in which order pairs of them were merged.</summary>
internal sealed class TokenRanks
{
    public const int None = int.MaxValue;

    private const int LongestToken = 128;

    private readonly Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>> ranks;

    private TokenRanks(Dictionary<byte[], int> ranks) => this.ranks = ranks.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>Of a token, by its bytes; <see cref="None"/> for what is no token.</summary>
    public int Find(ReadOnlySpan<byte> token) => token.Length <= LongestToken && ranks.TryGetValue(token, out var rank) ? rank : None;

    /// <summary>
    /// From the module of js-tiktoken that the build has embedded: <c>"bpe_ranks":"! 0 IQ== Ig== …"</c>, each line from a rank on.
    /// </summary>
    public static TokenRanks Load()
    {
        using var stream = typeof(TokenRanks).Assembly.GetManifestResourceStream("cl100k_base.js")
            ?? throw new InvalidOperationException("The ranks of cl100k_base are not embedded");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var text = reader.ReadToEnd();
        const string Name = "\"bpe_ranks\":\"";
        var start = text.IndexOf(Name, StringComparison.Ordinal) + Name.Length;
        var known = new Dictionary<byte[], int>(101_000, Bytes.Instance);
        foreach (var line in text[start..text.IndexOf('"', start)].Split("\\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            var rank = int.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture);
            foreach (var token in words.Skip(2))
            {
                known[Convert.FromBase64String(token)] = rank++;
            }
        }
        return new(known);
    }

    private sealed class Bytes : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly Bytes Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        // FNV: tokens are a few bytes long, and nobody chooses the keys.
        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = 2166136261u;
            foreach (var one in alternate)
            {
                hash = unchecked((hash ^ one) * 16777619);
            }
            return unchecked((int)(hash ^ (hash >> 15)));
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
