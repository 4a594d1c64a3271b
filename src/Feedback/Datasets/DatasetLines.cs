using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace Stoa.Feedback.Datasets;

/// <summary>Lines of JSON, or of CSV, to a stream.</summary>
internal sealed class DatasetLines(Stream stream, bool ownsStream) : IAsyncDisposable
{
    private readonly MemoryStream line = new();

    public long Count { get; private set; }

    /// <summary>A name with <c>.gz</c> in it is compressed.</summary>
    public static DatasetLines Create(string path)
    {
        var file = File.Create(path);
        return new(path.Contains(".gz", StringComparison.Ordinal) ? new GZipStream(
            file, CompressionLevel.Optimal) : file, ownsStream: true);
    }

    public async Task WriteAsync(Action<Utf8JsonWriter> write, CancellationToken ct)
    {
        line.SetLength(0);
        Append(line, write);
        Count++;
        await stream.WriteAsync(line.GetBuffer().AsMemory(0, (int)line.Length), ct);
    }

    public async Task WriteAsync(OasstTree tree, TrainingShape shape, CancellationToken ct)
    {
        if (shape.Format == DatasetFormat.Csv && Count == 0)
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes(CsvText.Header), ct);
        }
        line.SetLength(0);
        Count += Append(line, tree, shape);
        await stream.WriteAsync(line.GetBuffer().AsMemory(0, (int)line.Length), ct);
    }

    /// <summary>All that the tree gives in this form; returns the number of rows.</summary>
    public static int Append(MemoryStream lines, OasstTree tree, TrainingShape shape)
    {
        if (shape.Format == DatasetFormat.Csv)
        {
            var csv = new StringBuilder();
            var messages = tree.Messages().ToList();
            messages.ForEach(message => CsvText.Append(csv, tree.MessageTreeId, message));
            lines.Write(Encoding.UTF8.GetBytes(csv.ToString()));
            return messages.Count;
        }
        var rows = 0;
        foreach (var write in Rows(tree, shape))
        {
            Append(lines, write);
            rows++;
        }
        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        await stream.FlushAsync();
        if (ownsStream)
        {
            await stream.DisposeAsync();
        }
    }

    private static void Append(MemoryStream lines, Action<Utf8JsonWriter> write)
    {
        using (var json = new Utf8JsonWriter(lines, DatasetJson.Plain))
        {
            write(json);
        }
        lines.WriteByte((byte)'\n');
    }

    private static IEnumerable<Action<Utf8JsonWriter>> Rows(OasstTree tree, TrainingShape shape) => shape.Format switch
    {
        DatasetFormat.Tree => [json => JsonSerializer.Serialize(json, tree, DatasetJson.Default.OasstTree)],
        DatasetFormat.Flat => tree.Messages().Select<OasstMessage, Action<Utf8JsonWriter>>(message => json =>
            JsonSerializer.Serialize(
                json, message with { Replies = null, MessageTreeId = tree.MessageTreeId, TreeState = tree.TreeState },
                DatasetJson.Default.OasstMessage)),
        _ => TrainingRows.Of(tree, shape).Select<TrainingRow, Action<Utf8JsonWriter>>(row => json =>
            JsonSerializer.Serialize(json, row, DatasetJson.Default.TrainingRow)),
    };
}
