using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Npgsql;

namespace Stoa.Platform.Privacy;

/// <summary>
/// A module's part of an export: JSON files and what the person has brought in, written as they are read, so that no export is ever whole
/// in memory.
/// </summary>
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

    /// <summary>Files <c>{file}.json</c> of queries, whose rows are one JSON value each.</summary>
    /// <param name="ids">Whose it is; <c>$1</c> of each query.</param>
    public async Task AddAsync<TId>(NpgsqlDataSource source, IEnumerable<(string File, string Sql)> parts, TId[] ids, CancellationToken ct)
    {
        foreach (var (file, sql) in parts)
        {
            await AddAsync(file, RowsAsync(source, sql, ids, ct), PrivacyJson.Default.JsonElement, ct);
        }
    }

    /// <summary>A file as it is, below <c>files/</c>.</summary>
    public async Task AddAsync(string file, Stream content, CancellationToken ct)
    {
        await using var stream = await zip.CreateEntry($"{name}/files/{file}").OpenAsync(ct);
        await content.CopyToAsync(stream, ct);
    }

    private static async IAsyncEnumerable<JsonElement> RowsAsync<TId>(
        NpgsqlDataSource source, string sql, TId[] ids, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = ids });
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            yield return JsonElement.Parse(row.GetString(0));
        }
    }
}
