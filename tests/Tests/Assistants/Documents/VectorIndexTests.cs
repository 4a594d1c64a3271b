using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Assistants.Documents;
using Stoa.Assistants.Documents.Retrieval;
using Stoa.Assistants.Documents.Vectors;

namespace Stoa.Tests.Assistants.Documents;

/// <summary>Search by vector with pgvector where it is, and without.</summary>
public sealed class VectorIndexTests
{
    private const int Dimensions = 256;

    private const string IndexIsThere =
        "select exists (select from pg_index i where i.indexrelid = to_regclass('assistants.document_chunks_near_256') and i.indisvalid)";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("1")]
    [InlineData("0")]
    public async Task An_index_is_made_where_pgvector_is_and_wanted_and_the_same_is_found_with_it_and_without(string above)
    {
        await using var site =
            await AssistantsSite.StartAsync(("Assistants:EmbeddingModel", "demo/demo"), ("Assistants:Documents:VectorIndexAbove", above));
        var user = await site.UserAsync();
        foreach (var text in (string[])["Badgers dig in the garden at night.",
            "The office opens at half past seven.", "Bicycles are mended on Mondays."])
        {
            await site.OkAsync(user.Token, HttpMethod.Put, "/resource", new() { ["name"] = text[..7], ["text"] = text });
        }
        await site.Host.RunJobsAsync();
        var before = await SearchAsync(site, user);

        await site.RunScheduleAsync("assistants.index_vectors");

        var isThere = await site.ValueAsync<bool>(
            "select exists (select from pg_available_extensions where name = 'vector' and default_version ~ '^(0\\.[89]|0\\.\\d\\d|[1-9])')");
        Assert.Equal("succeeded", await site.ValueAsync<string>(
            "select state from platform.finished_jobs where kind = 'assistants.index_vectors' order by finished_at desc limit 1"));
        Assert.Equal(isThere && above != "0", await site.ValueAsync<bool>(IndexIsThere));
        Assert.NotEmpty(before);
        Assert.Equal(before, await SearchAsync(site, user));
    }

    [Fact]
    public async Task Through_the_index_a_user_finds_what_is_nearest_among_his_own()
    {
        // A server of one's own with pgvector, for where the machine's PostgreSQL has none; its schema assistants is made anew.
        var address = Environment.GetEnvironmentVariable("STOA_TESTS_PGVECTOR");
        Assert.SkipWhen(string.IsNullOrEmpty(address), "STOA_TESTS_PGVECTOR names no server with pgvector");
        await using var source = NpgsqlDataSource.Create(address!);
        await ExecuteAsync(source, "drop schema if exists assistants cascade");
        await ExecuteAsync(source, "create schema assistants");
        await ExecuteAsync(source, """
            create table assistants.document_chunks (
              id integer primary key, user_id text not null, halves bytea, embedding_model text, signature bit varying, deleted_at timestamptz)
            """);
        await ExecuteAsync(
            source, "create index on assistants.document_chunks (user_id, embedding_model) include (signature) where deleted_at is null");
        var random = new Random(7);
        for (var id = 1; id <= 2_000; id++)
        {
            await AddAsync(source, id, VectorOf(random));
        }
        var (exact, index) = (IndexOf(source, above: 0), IndexOf(source, above: 100));
        var question = new TextVector(VectorOf(random), "m");
        await exact.MakeAsync(Ct);
        Assert.Null(await index.PlaceAsync("u1", "m", Dimensions, Ct));

        await index.MakeAsync(Ct);
        await index.MakeAsync(Ct);

        Assert.Null(await exact.PlaceAsync("u1", "m", Dimensions, Ct));
        Assert.NotNull(await index.PlaceAsync("u1", "m", Dimensions, Ct));
        Assert.Null(await index.PlaceAsync("nobody", "m", Dimensions, Ct));
        var wanted = await new VectorSearch(source, exact).FindAsync("u1", question, 10, Ct);
        var found = await new VectorSearch(source, index).FindAsync("u1", question, 10, Ct);
        Assert.Equal(10, found.Count);
        Assert.All(found, id => Assert.Equal(1, id % 4));
        Assert.True(wanted.Intersect(found).Count() >= 9, $"{string.Join(' ', wanted)} but {string.Join(' ', found)}");
        await using var left = source.CreateCommand("select current_setting('enable_sort')");
        Assert.Equal("on", await left.ExecuteScalarAsync(Ct));
    }

    [Theory]
    [InlineData(256)]
    [InlineData(5)]
    public async Task What_is_nearest_by_the_upper_halves_is_what_is_nearest_by_the_whole_numbers(int dimensions)
    {
        const int Count = 3_000, Wanted = 50;
        await using var site = await AssistantsSite.StartAsync();
        var user = await site.UserAsync();
        var random = new Random(11);
        float[][] vectors = [.. Enumerable.Range(0, Count).Select(_ => VectorOf(random, dimensions))];
        var question = VectorOf(random, dimensions);
        await site.SqlAsync("""
            with document as (
              insert into assistants.documents (user_id, document_type, name) values ($1, 'learned_by_mojo', 'Many') returning id)
            insert into assistants.document_chunks (document_id, user_id, index, text, title, language, content_hash, embedding,
              embedding_model, signature)
            select document.id, $1, n.index, 'Text', 'Many', 'en', '', n.embedding, 'm', n.signature::varbit
            from document, unnest($2::bytea[], $3::text[]) with ordinality n (embedding, signature, index)
            """, user.Id, vectors.Select(vector => VectorBytes.Write(vector)).ToArray(),
              vectors.Select(vector => VectorBytes.Signature(vector)).ToArray());
        await using var source = NpgsqlDataSource.Create(site.Host.ConnectionString);

        var found = await new VectorSearch(source, IndexOf(source, above: 0)).FindAsync(user.Id, new(question, "m"), Wanted, Ct);

        var exact = vectors.Select((vector, place) => (Near: vector.Zip(question, (one, other) => one * other).Sum(), Place: place + 1))
            .OrderDescending();
        var first = await site.ValueAsync<int>("select min(id) - 1 from assistants.document_chunks where user_id = $1", user.Id);
        int[] wanted = [.. exact.Take(Wanted).Select(one => first + one.Place)];
        Assert.Equal(Wanted, found.Count);
        Assert.Equal(wanted[0], found[0]);
        Assert.True(wanted.Intersect(found).Count() >= Wanted - 2, $"{string.Join(' ', wanted)} but {string.Join(' ', found)}");
        Assert.Equal(
            HalvesOf(vectors[7]), await site.ValueAsync<byte[]>("select halves from assistants.document_chunks where id = $1", first + 8));
    }

    private static async Task<List<string>> SearchAsync(AssistantsSite site, Assisted user) =>
    [
        .. (await site.OkAsync(
            user.Token, HttpMethod.Get, "/resource/search?query=badgers%20in%20the%20garden"))["document_chunks"]!.AsArray()
            .Select(chunk => $"{chunk!["source"]} {(double)chunk["score"]!}"),
    ];

    private static VectorIndex IndexOf(NpgsqlDataSource source, int above) =>
        new(source, Options.Create(new DocumentsOptions { VectorIndexAbove = above }), NullLogger<VectorIndex>.Instance);

    private static float[] VectorOf(Random random, int dimensions = Dimensions)
    {
        float[] vector = [.. Enumerable.Range(0, dimensions).Select(_ => (float)(random.NextDouble() - 0.5))];
        var length = MathF.Sqrt(vector.Sum(number => number * number));
        return Array.ConvertAll(vector, number => number / length);
    }

    /// <summary>As the database makes them.</summary>
    private static byte[] HalvesOf(float[] vector) => [.. VectorBytes.Write(vector).Chunk(4).SelectMany(number => number[2..])];

    private static Task AddAsync(NpgsqlDataSource source, int id, float[] vector) => ExecuteAsync(
        source, "insert into assistants.document_chunks values ($1, $2, $3, 'm', $4::varbit, null)",
        id, string.Create(CultureInfo.InvariantCulture, $"u{id % 4}"), HalvesOf(vector), VectorBytes.Signature(vector));

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql, params object[] values)
    {
        await using var command = source.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }
        await command.ExecuteNonQueryAsync(Ct);
    }
}
