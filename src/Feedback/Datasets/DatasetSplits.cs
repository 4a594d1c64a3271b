using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Stoa.Feedback.Datasets;

/// <summary>
/// Which part of a dataset a tree belongs to. By the hash of its id alone, so that siblings never part and a tree stays where it is in the
/// next export.
/// </summary>
/// <param name="Shares">Each part with its share; the shares add up to 1.</param>
internal sealed record DatasetSplits(IReadOnlyList<(string Name, double Share)> Shares)
{
    public static readonly DatasetSplits None = new([("", 1)]);

    public bool IsNone => Shares.Count == 1;

    /// <summary><c>train=0.9,test=0.1</c>; null when it is nothing of the kind.</summary>
    public static DatasetSplits? Parse(string text)
    {
        List<(string Name, double Share)> shares = [];
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (part.Split('=') is not [{ Length: > 0 } name, var number] || !name.All(char.IsAsciiLetterOrDigit)
                || !double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var share) || share <= 0
                || shares.Exists(one => one.Name == name))
            {
                return null;
            }
            shares.Add((name, share));
        }
        return Math.Abs(shares.Sum(one => one.Share) - 1) < 1e-9 ? new(shares) : null;
    }

    /// <summary>The index of the tree's part.</summary>
    public int Of(string treeId)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(treeId), hash);
        var place = BinaryPrimitives.ReadUInt64BigEndian(hash) / (double)ulong.MaxValue;
        for (var part = 0; part < Shares.Count - 1; part++)
        {
            if (place < Shares[part].Share)
            {
                return part;
            }
            place -= Shares[part].Share;
        }
        return Shares.Count - 1;
    }

    public override string ToString() =>
        string.Join(',', Shares.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Name}={one.Share}")));
}
