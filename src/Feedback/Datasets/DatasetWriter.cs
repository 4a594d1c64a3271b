using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Stoa.Feedback.Datasets;

/// <summary>
/// Writes trees to the files of a dataset, one tree in memory at a time. Until it is complete the files end in <c>.part</c>; every so many
/// trees it notes how far it is, and an export that was cut goes on from there. Compressed files are cut at the same trees each time, so
/// the bytes do not depend on it.
/// </summary>
internal sealed class DatasetWriter : IAsyncDisposable
{
    private const int TreesPerCheckpoint = 1_000;

    private readonly string path;
    private readonly TrainingShape shape;
    private readonly DatasetSplits splits;
    private readonly Pseudonyms pseudonyms;
    private readonly IReadOnlyDictionary<string, string> filters;
    private readonly List<PartFile> parts = [];
    private readonly MemoryStream lines = new();
    private int sinceCheckpoint;
    private int given;

    private DatasetWriter(
        string path, TrainingShape shape, DatasetSplits splits, Pseudonyms pseudonyms, IReadOnlyDictionary<string, string> filters) =>
        (this.path, this.shape, this.splits, this.pseudonyms, this.filters) = (path, shape, splits, pseudonyms, filters);

    /// <summary>The tree after which an earlier export with the same options was cut; null at the beginning.</summary>
    public Guid? After { get; private set; }

    /// <summary>How many trees it had taken.</summary>
    public int Given { get; private set; }

    /// <param name="path">A name with <c>.gz</c> in it is compressed; each split has its name before the endings.</param>
    /// <param name="filters">Every option that has a say in what comes out.</param>
    public static async Task<DatasetWriter> OpenAsync(
        string path, TrainingShape shape, DatasetSplits splits, Pseudonyms pseudonyms, IReadOnlyDictionary<string, string> filters,
        CancellationToken ct)
    {
        var writer = new DatasetWriter(path, shape, splits, pseudonyms, filters);
        var checkpoint = await writer.ReadCheckpointAsync(ct);
        (writer.After, writer.Given) = (checkpoint?.LastTree, checkpoint?.Given ?? 0);
        writer.given = writer.Given;
        for (var i = 0; i < splits.Shares.Count; i++)
        {
            writer.parts.Add(new(writer.PathOf(splits.Shares[i].Name), checkpoint?.Parts[i]));
        }
        if (shape.Format == DatasetFormat.Csv && checkpoint is null)
        {
            foreach (var part in writer.parts)
            {
                await part.WriteAsync(Encoding.UTF8.GetBytes(CsvText.Header), rows: 0, ct);
            }
        }
        return writer;
    }

    public async Task AddAsync(Guid treeId, OasstTree tree, CancellationToken ct)
    {
        lines.SetLength(0);
        var rows = DatasetLines.Append(lines, pseudonyms.Apply(tree), shape);
        if (rows > 0)
        {
            // By its true id: which part it is in must not depend on the salt.
            await parts[splits.Of(tree.MessageTreeId)].WriteAsync(lines.GetBuffer().AsMemory(0, (int)lines.Length), rows, ct);
        }
        given++;
        if (++sinceCheckpoint == TreesPerCheckpoint)
        {
            sinceCheckpoint = 0;
            await CheckpointAsync(treeId, ct);
        }
    }

    /// <summary>Gives the files their names and writes <c>{path}.manifest.json</c>.</summary>
    public async Task<DatasetManifest> CompleteAsync(CancellationToken ct)
    {
        List<DatasetPart> made = [];
        for (var i = 0; i < parts.Count; i++)
        {
            made.Add(await parts[i].CompleteAsync(splits.IsNone ? null : splits.Shares[i].Name, ct));
        }
        var manifest = new DatasetManifest(DatasetManifest.CurrentSchema, FormatName, filters, made);
        await using (var file = File.Create($"{path}.manifest.json"))
        {
            await JsonSerializer.SerializeAsync(file, manifest, DatasetJson.Default.DatasetManifest, ct);
        }
        File.Delete(CheckpointPath);
        return manifest;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in parts)
        {
            await part.DisposeAsync();
        }
    }

    private string FormatName => shape.Format.ToString();

    // Ids of two seeds do not belong into one dataset. The seed itself stands nowhere: whoever knows it knows whose ids they are.
    private string Sample => pseudonyms.Message("sample");

    /// <summary>What was noted is worth nothing without the files that it speaks of.</summary>
    private bool AreThere(IReadOnlyList<DatasetCheckpoint.Part> reached) => splits.Shares.Zip(reached)
        .All(one => new FileInfo($"{PathOf(one.First.Name)}.part") is { Exists: true } file && file.Length >= one.Second.Length);

    private string CheckpointPath => $"{path}.part.json";

    private string PathOf(string split)
    {
        if (split.Length == 0)
        {
            return path;
        }
        var name = Path.GetFileName(path);
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return Path.Combine(Path.GetDirectoryName(path) ?? "", dot < 0 ? $"{name}.{split}" : $"{name[..dot]}.{split}{name[dot..]}");
    }

    private async Task<DatasetCheckpoint?> ReadCheckpointAsync(CancellationToken ct)
    {
        if (!File.Exists(CheckpointPath))
        {
            return null;
        }
        await using var file = File.OpenRead(CheckpointPath);
        try
        {
            var read = await JsonSerializer.DeserializeAsync(file, DatasetJson.Default.DatasetCheckpoint, ct);
            return read is not null && read.Format == FormatName && read.Parts.Count == splits.Shares.Count
                && read.Sample == Sample && read.Filters.Count == filters.Count
                && read.Filters.All(one => filters.GetValueOrDefault(one.Key) == one.Value) && AreThere(read.Parts)
                    ? read
                    : null;
        }
        catch (JsonException)
        {
            // Cut while it was written: from the beginning, then.
            return null;
        }
    }

    private async Task CheckpointAsync(Guid lastTree, CancellationToken ct)
    {
        List<DatasetCheckpoint.Part> reached = [];
        foreach (var part in parts)
        {
            reached.Add(await part.CheckpointAsync(ct));
        }
        var written = $"{CheckpointPath}.new";
        await using (var file = File.Create(written))
        {
            await JsonSerializer.SerializeAsync(
                file, new DatasetCheckpoint(FormatName, filters, Sample, lastTree, given, reached),
                DatasetJson.Default.DatasetCheckpoint, ct);
        }
        File.Move(written, CheckpointPath, overwrite: true);
    }

    /// <summary>One file on its way; a compressed one is a row of gzip members, which readers take for one.</summary>
    private sealed class PartFile : IAsyncDisposable
    {
        private readonly string path;
        private readonly bool isCompressed;
        private readonly FileStream file;
        private Stream member;
        private long trees;
        private long rows;

        public PartFile(string path, DatasetCheckpoint.Part? reached)
        {
            (this.path, isCompressed) = (path, Path.GetFileName(path).Contains(".gz", StringComparison.Ordinal));
            (trees, rows) = (reached?.Trees ?? 0, reached?.Rows ?? 0);
            file = new($"{path}.part", FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, 64 << 10, FileOptions.Asynchronous);
            file.SetLength(reached?.Length ?? 0);
            file.Seek(0, SeekOrigin.End);
            member = NewMember();
        }

        public async Task WriteAsync(ReadOnlyMemory<byte> bytes, int rows, CancellationToken ct)
        {
            await member.WriteAsync(bytes, ct);
            this.rows += rows;
            trees += rows > 0 ? 1 : 0;
        }

        public async Task<DatasetCheckpoint.Part> CheckpointAsync(CancellationToken ct)
        {
            await EndMemberAsync();
            member = NewMember();
            await file.FlushAsync(ct);
            return new(file.Length, trees, rows);
        }

        public async Task<DatasetPart> CompleteAsync(string? split, CancellationToken ct)
        {
            await EndMemberAsync();
            await file.DisposeAsync();
            File.Move($"{path}.part", path, overwrite: true);
            await using var whole = File.OpenRead(path);
            return new(split, Path.GetFileName(path), trees, rows, whole.Length,
                Convert.ToHexStringLower(await SHA256.HashDataAsync(whole, ct)));
        }

        public async ValueTask DisposeAsync()
        {
            if (file.CanWrite)
            {
                await EndMemberAsync();
                await file.DisposeAsync();
            }
        }

        private Stream NewMember() => isCompressed ? new GZipStream(file, CompressionLevel.Optimal, leaveOpen: true) : file;

        private async Task EndMemberAsync()
        {
            if (isCompressed)
            {
                await member.DisposeAsync();
            }
        }
    }
}
