using System.ComponentModel.DataAnnotations;

namespace Stoa.Learning.Files;

/// <summary>Section <c>Learning:Files</c>: how large an upload may be, in megabytes, by what it is.</summary>
internal sealed class FileLimits
{
    public const string Section = "Learning:Files";

    [Range(1, 2_000)]
    public int MaxZipMb { get; set; } = 50;

    [Range(1, 2_000)]
    public int MaxPdfMb { get; set; } = 32;

    [Range(1, 2_000)]
    public int MaxAudioMb { get; set; } = 50;

    [Range(1, 2_000)]
    public int MaxImageMb { get; set; } = 20;

    [Range(1, 2_000)]
    public int MaxVideoMb { get; set; } = 200;

    /// <summary>
    /// Gives addresses of the bucket also to who does not say how long the file is, as the front end does not; it may be of any length
    /// then. Otherwise the front end uploads through us.
    /// </summary>
    public bool AllowsUnboundAddresses { get; set; }

    public long MaxBytes(FileClass kind) => (long)(kind switch
    {
        FileClass.Archive => MaxZipMb,
        FileClass.Document => MaxPdfMb,
        FileClass.Audio => MaxAudioMb,
        FileClass.Image => MaxImageMb,
        FileClass.Video => MaxVideoMb,
    }) << 20;

    public long Largest => Enum.GetValues<FileClass>().Max(MaxBytes);
}
