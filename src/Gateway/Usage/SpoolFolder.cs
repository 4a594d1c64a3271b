using System.Globalization;
using Stoa.Platform.Data;

namespace Stoa.Gateway.Usage;

/// <summary>
/// The folder of one spool, owned by one process through a locked file that the operating system frees when the process dies.
/// A later host, or a neighbour on the same data directory, claims what a dead one left behind.
/// </summary>
internal sealed class SpoolFolder : IDisposable
{
    private readonly FileStream owner;

    private SpoolFolder(string path, FileStream owner, Guid id)
    {
        Path = path;
        Id = id;
        this.owner = owner;
    }

    public string Path { get; }

    /// <summary>Names this spool in the database, where its position is kept.</summary>
    public Guid Id { get; }

    /// <summary>Claims the first folder that nobody owns, making one if need be.</summary>
    public static SpoolFolder ClaimFirst(string root)
    {
        for (var index = 0; ; index++)
        {
            if (TryClaim(System.IO.Path.Combine(root, index.ToString("D3", CultureInfo.InvariantCulture))) is { } folder)
            {
                return folder;
            }
        }
    }

    /// <summary>Folders of dead hosts that still hold records; each is ours until disposed.</summary>
    public static IEnumerable<SpoolFolder> ClaimAbandoned(string root)
    {
        foreach (var path in Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal))
        {
            if (Directory.EnumerateFiles(path, "*.spool").Any() && TryClaim(path) is { } folder)
            {
                yield return folder;
            }
        }
    }

    public IEnumerable<long> SegmentNumbers() => Directory.EnumerateFiles(Path, "*.spool")
        .Select(file => long.Parse(System.IO.Path.GetFileNameWithoutExtension(file), CultureInfo.InvariantCulture))
        .Order();

    public void Dispose() => owner.Dispose();

    private static SpoolFolder? TryClaim(string path)
    {
        Directory.CreateDirectory(path);
        FileStream owner;
        try
        {
            owner = new(System.IO.Path.Combine(path, "owner"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException held) when (FileLock.IsHeldByAnother(held))
        {
            return null;
        }

        // Without segments nothing is left of what the database knows under the old id.
        Span<byte> id = stackalloc byte[16];
        if (owner.Length == 16 && Directory.EnumerateFiles(path, "*.spool").Any())
        {
            owner.ReadExactly(id);
        }
        else
        {
            Guid.CreateVersion7().TryWriteBytes(id);
            owner.Position = 0;
            owner.SetLength(0);
            owner.Write(id);
            owner.Flush(flushToDisk: true);
        }
        return new(path, owner, new(id));
    }
}
