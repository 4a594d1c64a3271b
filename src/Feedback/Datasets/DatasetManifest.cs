namespace Stoa.Feedback.Datasets;

/// <summary>What stands beside a dataset: how it was made and what is in it. The same export makes the same manifest.</summary>
/// <param name="Filters">Each option that was given, in its words.</param>
internal sealed record DatasetManifest(
    int SchemaVersion, string Format, IReadOnlyDictionary<string, string> Filters, IReadOnlyList<DatasetPart> Parts)
{
    public const int CurrentSchema = 1;

    public long Rows => Parts.Sum(part => part.Rows);
}

/// <param name="Split">Absent when the dataset is one file.</param>
/// <param name="Trees">Those that gave at least one row.</param>
/// <param name="Sha256">Of the file as it is, in hexadecimal digits.</param>
internal sealed record DatasetPart(string? Split, string File, long Trees, long Rows, long Bytes, string Sha256);

/// <summary>How far an unfinished export is: what is in its files up to these lengths is whole.</summary>
/// <param name="Filters">An export with other ones begins anew.</param>
/// <param name="Sample">What its pseudonyms look like: one with other ones begins anew, too.</param>
/// <param name="Given">How many trees were taken, rows or none.</param>
internal sealed record DatasetCheckpoint(
    string Format, IReadOnlyDictionary<string, string> Filters, string Sample,
    Guid LastTree, int Given, IReadOnlyList<DatasetCheckpoint.Part> Parts)
{
    internal sealed record Part(long Length, long Trees, long Rows);
}
