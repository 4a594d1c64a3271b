using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Stoa.Platform.Privacy;

/// <summary>A module's part of an export: JSON files and what the person has brought in, written as they are read, so that no export is ever whole in memory.</summary>
public sealed class ExportFolder
{
    private const int FlushAt = 32 << 10;

    private static readonly JsonWriterOptions Readable = new() { Indented = true };

    private readonly ZipArchive zip;
    private readonly string name;

    internal ExportFolder(ZipArchive zip, string name) => (this.zip, this.name) = (zip, name);

    /// <summary>A file <c>{file}.json</c> with a list.</summary>
    public async Task AddAsync<T>(string file, IAsyncEnumerable<T> items, JsonTypeInfo<T> json, CancellationToken ct)
    {
        await using var stream = await zip.CreateEntry($"{name}/{file}.json").OpenAsync(ct);
        await using var writer = new Utf8JsonWriter(stream, Readable);
        writer.WriteStartArray();
        await foreach (var item in items.WithCancellation(ct))
        {
            JsonSerializer.Serialize(writer, item, json);
            if (writer.BytesPending > FlushAt)
            {
                await writer.FlushAsync(ct);
            }
        }
        writer.WriteEndArray();
        await writer.FlushAsync(ct);
    }

    /// <summary>A file as it is, below <c>files/</c>.</summary>
    public async Task AddAsync(string file, Stream content, CancellationToken ct)
    {
        await using var stream = await zip.CreateEntry($"{name}/files/{file}").OpenAsync(ct);
        await content.CopyToAsync(stream, ct);
    }
}
