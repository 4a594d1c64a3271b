using System.Collections.Frozen;

namespace Stoa.Learning.Files;

internal enum FileClass
{
    Archive,
    Document,
    Audio,
    Image,
    Video,
}

/// <summary>
/// The types that are taken, and no others: nothing among them is a page or a program to a browser. On the wire the extension is what
/// stands behind the slash; readers look for <c>wav</c> and <c>zip</c>, so those have it by whatever name.
/// </summary>
internal sealed record FileType(string ContentType, string Extension, FileClass Class)
{
    private static readonly FrozenDictionary<string, FileType> All = ((FileType[])[
        new("audio/wav", "wav", FileClass.Audio),
        new("audio/x-wav", "wav", FileClass.Audio),
        new("audio/wave", "wav", FileClass.Audio),
        new("audio/vnd.wave", "wav", FileClass.Audio),
        new("audio/mpeg", "mpeg", FileClass.Audio),
        new("audio/mp3", "mp3", FileClass.Audio),
        new("audio/mp4", "mp4", FileClass.Audio),
        new("audio/x-m4a", "x-m4a", FileClass.Audio),
        new("audio/aac", "aac", FileClass.Audio),
        new("audio/ogg", "ogg", FileClass.Audio),
        new("audio/webm", "webm", FileClass.Audio),
        new("image/png", "png", FileClass.Image),
        new("image/jpeg", "jpeg", FileClass.Image),
        new("image/jpg", "jpg", FileClass.Image),
        new("image/gif", "gif", FileClass.Image),
        new("image/webp", "webp", FileClass.Image),
        new("image/avif", "avif", FileClass.Image),
        new("video/mp4", "mp4", FileClass.Video),
        new("video/webm", "webm", FileClass.Video),
        new("video/ogg", "ogg", FileClass.Video),
        new("video/quicktime", "quicktime", FileClass.Video),
        new("application/pdf", "pdf", FileClass.Document),
        new("application/zip", "zip", FileClass.Archive),
        new("application/x-zip-compressed", "zip", FileClass.Archive),
    ]).ToFrozenDictionary(type => type.ContentType, StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> Extensions = All.Values.Select(type => type.Extension).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Null where nothing of this type is taken. What stands behind a semicolon (<c>;codecs=opus</c>) does not matter.</summary>
    public static FileType? Of(string contentType) => All.GetValueOrDefault(contentType.Split(';', 2)[0].Trim());

    public static bool IsExtension(string extension) => Extensions.Contains(extension);

    /// <summary>
    /// Whether a page may show it to whoever has its address: media are parts of courses. What learners hand in is read by those who may.
    /// </summary>
    public bool IsMedia => Class is FileClass.Image or FileClass.Video || (Class == FileClass.Audio && Extension != "wav");

    /// <summary>What the content must begin with, where our own readers open it.</summary>
    public ReadOnlySpan<byte> Beginning => Class switch
    {
        FileClass.Archive => "PK"u8,
        FileClass.Document => "%PDF-"u8,
        FileClass.Audio or FileClass.Image or FileClass.Video => [],
    };
}
