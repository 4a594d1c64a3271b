using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Stoa.Learning.Tutor;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Submissions;

/// <summary>
/// The texts of an archive that a learner has handed in, by path. It is read where it lies and never written out; what is too large, too
/// many or no text is named and not shown; what could harm the reader is refused.
/// </summary>
/// <param name="Omitted">Paths of files that are not shown, in order.</param>
internal sealed record Submission(IReadOnlyList<(string Path, string Text)> Files, IReadOnlyList<string> Omitted)
{
    // Of the record that ends an archive: signature, two numbers, counts, size and place of the directory.
    private const int EndLength = 22;
    private const int LongestComment = 65_535;
    private const uint EndSignature = 0x06054b50;
    private const int DirectoryEntry = 46;
    private const int LongestName = 400;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static readonly HashSet<string> Extensions = new(StringComparer.OrdinalIgnoreCase)
    {
        "js", "jsx", "ts", "tsx", "html", "htm", "css", "scss", "sass", "py",
        "java", "c", "cpp", "h", "hpp", "go", "rs", "php", "rb", "json",
        "yaml", "yml", "txt", "md", "sh", "bat", "ps1",
    };

    private static readonly string[] Unwanted = ["__MACOSX", "node_modules", ".git"];

    /// <param name="archive">Can be sought in; is read to its end.</param>
    /// <exception cref="Failure">400: it is no archive, too large when unpacked, or names files outside of itself.</exception>
    public static async Task<Submission> ReadAsync(Stream archive, TutorOptions limits, CancellationToken ct)
    {
        await CheckDirectoryAsync(archive, limits, ct);
        try
        {
            await using var zip = await ZipArchive.CreateAsync(archive, ZipArchiveMode.Read, leaveOpen: true, entryNameEncoding: null, ct);
            return await ReadAsync(zip, limits, ct);
        }
        catch (Exception broken)
            when (broken is InvalidDataException or EndOfStreamException or NotSupportedException or ArgumentException or OverflowException)
        {
            throw NoArchive();
        }
    }

    /// <summary>As it is shown to a model.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        foreach (var (path, content) in Files)
        {
            text.Append("=== ").Append(path).Append(" ===\n").Append(content).Append("\n\n");
        }
        if (Omitted.Count > 0)
        {
            text.Append("Files that are not shown, because they are too large or no text: ")
                .AppendJoin(", ", Omitted.Take(200)).Append('\n');
        }
        return text.Length == 0 ? "(The archive holds no files that can be shown.)" : text.ToString().TrimEnd();
    }

    private static async Task<Submission> ReadAsync(ZipArchive zip, TutorOptions limits, CancellationToken ct)
    {
        if (zip.Entries.Count > limits.MaxZipEntries)
        {
            throw TooMany(limits);
        }
        // What it says of itself may be false; then reading stops at what is shown, long before.
        if (zip.Entries.Sum(entry => Math.Max(0, entry.Length)) > (long)limits.MaxUnpackedMb << 20)
        {
            throw Refusal.BadRequest($"The archive comes to more than {limits.MaxUnpackedMb} MB when it is unpacked");
        }
        List<(string, string)> files = [];
        List<string> omitted = [];
        var left = limits.MaxShownKb << 10;
        foreach (var (path, entry) in zip.Entries.Select(entry => (PathOf(entry.FullName), entry))
            .Where(file => IsWanted(file.Item1)).OrderBy(file => file.Item1, StringComparer.Ordinal))
        {
            var text = left > 0 ? await TextOfAsync(entry, Math.Min(left, limits.MaxFileKb << 10), ct) : null;
            if (text is null)
            {
                omitted.Add(path);
                continue;
            }
            left -= Strict.GetByteCount(text);
            files.Add((path, text));
        }
        return new(files, omitted);
    }

    /// <summary>
    /// The reader of archives makes an object of each entry before anybody can count them: so the directory is measured first, by where it
    /// begins and ends in the file, whatever it claims.
    /// </summary>
    private static async Task CheckDirectoryAsync(Stream archive, TutorOptions limits, CancellationToken ct)
    {
        var tail = new byte[Math.Min(archive.Length, EndLength + LongestComment)];
        archive.Position = archive.Length - tail.Length;
        await archive.ReadExactlyAsync(tail, ct);
        archive.Position = 0;
        for (var at = tail.Length - EndLength; at >= 0; at--)
        {
            var end = tail.AsSpan(at);
            if (BinaryPrimitives.ReadUInt32LittleEndian(end) != EndSignature)
            {
                continue;
            }
            var count = BinaryPrimitives.ReadUInt16LittleEndian(end[10..]);
            var start = BinaryPrimitives.ReadUInt32LittleEndian(end[16..]);
            var length = archive.Length - tail.Length + at - start;
            if (count > limits.MaxZipEntries || length > (long)limits.MaxZipEntries * (DirectoryEntry + LongestName))
            {
                throw TooMany(limits);
            }
            if (length >= 0)
            {
                return;
            }
            break;
        }
        throw NoArchive();
    }

    private static string PathOf(string name)
    {
        var path = name.Replace('\\', '/');
        return path.StartsWith('/') || path.Contains(':', StringComparison.Ordinal) || path.Contains('\0', StringComparison.Ordinal)
            || path.Split('/').Contains("..")
            ? throw Refusal.BadRequest("The archive names a file outside of itself")
            : path;
    }

    private static bool IsWanted(string path) =>
        Extensions.Contains(Path.GetExtension(path).TrimStart('.'))
            && !path.Split('/').Any(part => Unwanted.Contains(part, StringComparer.Ordinal));

    /// <summary>Null when there is more than <paramref name="most"/> bytes, or it is no text.</summary>
    private static async Task<string?> TextOfAsync(ZipArchiveEntry entry, int most, CancellationToken ct)
    {
        if (entry.Length > most)
        {
            return null;
        }
        try
        {
            await using var content = await entry.OpenAsync(ct);
            var bytes = new byte[most + 1];
            var length = await content.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, ct);
            return length > most || bytes.AsSpan(0, length).Contains((byte)0) ? null : Strict.GetString(bytes, 0, length);
        }
        catch (Exception unreadable)
            when (unreadable is InvalidDataException or DecoderFallbackException or NotSupportedException or EndOfStreamException)
        {
            // Damaged, encrypted or in another alphabet: one file less to look at.
            return null;
        }
    }

    private static Failure NoArchive() => Refusal.BadRequest("The file is not a zip archive");

    private static Failure TooMany(TutorOptions limits) => Refusal.BadRequest($"The archive holds more than {limits.MaxZipEntries} files");
}
