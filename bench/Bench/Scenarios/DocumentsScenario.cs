using Stoa.Bench.Documents;
using Stoa.Bench.Machine;

namespace Stoa.Bench.Scenarios;

/// <summary>
/// PostgreSQL's own manual as one website: read through the surface, read again unchanged, read again with three pages edited, asked twenty
/// questions, and read by a host that is killed in the middle.
/// </summary>
internal sealed class DocumentsScenario : Scenario
{
    private const double PagesPerSecond = 30;
    private const double Answered = 18;

    private static readonly string[] Edited = ["sql-vacuum.html", "indexes-partial.html", "app-pgdump.html"];

    internal override string Name => "documents";

    internal override string Purpose =>
        "the manual of PostgreSQL as a website: read, read again, searched, killed [--quick true] [--etags true]";

    internal override async IAsyncEnumerable<Figure> MeasureAsync(Arguments arguments)
    {
        var folder = await Manual.UnpackAsync();
        await using var site = await ManualSite.StartAsync(folder, arguments.Flag("etags"));
        await using var product = Product.Prepare();
        using var reader = await DocumentsReader.PrepareAsync(product, site.Address, arguments.Flag("quick") ? 100 : 5_000);
        await product.StartAsync();
        await reader.AddUserAsync("reader");

        await NoteAsync($"Reading {site.Count} pages");
        var started = TimeProvider.System.GetTimestamp();
        await reader.ReadAsync("reader", isNew: true, progress => NoteAsync(progress));
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        var pages = await reader.NumberAsync("select count(*) from assistants.documents where deleted_at is null");
        yield return new("documents.pages", pages, "", arguments.Flag("quick") ? null : 1_000, IsLeast: true);
        yield return new("documents.chunks", await reader.NumberAsync("select count(*) from assistants.document_chunks"), "");
        yield return new("documents.pages_per_second", pages / seconds, "/s", PagesPerSecond, IsLeast: true);
        yield return new("documents.peak_memory", ProcessStat.PeakResidentMegabytes(product.ProcessId), "MB", Bound: 1_024);

        var before = await reader.StateAsync("reader");
        var marked = await reader.NowAsync();
        started = TimeProvider.System.GetTimestamp();
        await reader.ReadAsync("reader", isNew: false, _ => Task.CompletedTask);
        yield return new("documents.again_seconds", TimeProvider.System.GetElapsedTime(started).TotalSeconds, "s");
        yield return new("documents.again_changed", Different(before, await reader.StateAsync("reader")), "chunks", Bound: 0);
        yield return new("documents.again_embedded", await reader.EmbeddedSinceAsync(marked), "chunks", Bound: 0);

        foreach (var page in Edited)
        {
            site.Edit(page, html => html.Replace("<p>", "<p>This sentence was put in afterwards. ", StringComparison.Ordinal));
        }
        marked = await reader.NowAsync();
        await reader.ReadAsync("reader", isNew: false, _ => Task.CompletedTask);
        var after = await reader.StateAsync("reader");
        var renewed = after.Where(chunk => !before.Any(old => old.Document == chunk.Document && old.Hash == chunk.Hash)).ToList();
        yield return new("documents.edited_chunks", renewed.Count, "chunks", Bound: 1, IsLeast: true);
        yield return new("documents.edited_pages",
            renewed.Select(chunk => chunk.Document).Distinct(StringComparer.Ordinal).Count(), "", Bound: Edited.Length);
        yield return new(
            "documents.edited_embedded_too_many", Math.Abs(await reader.EmbeddedSinceAsync(marked) - renewed.Count), "chunks", Bound: 0);

        var times = new List<double>();
        yield return new("documents.answered", await AnsweredAsync(ManualQuestions.All),
            "of 20", arguments.Flag("quick") ? null : Answered, IsLeast: true);
        yield return new("documents.answered_weighed", await AnsweredAsync(ManualQuestions.Weighed), "of 20");
        yield return new("documents.answered_hold_out", await AnsweredAsync(ManualQuestions.HoldOut), "of 20");
        yield return new("documents.search_median", times.Median(), "ms");
        yield return new("documents.search_slowest", times.Max(), "ms");

        await reader.AddUserAsync("victim");
        await NoteAsync("Killing the host in the middle");
        var job = await reader.LaunchAsync("victim", isNew: true);
        var all = after.Select(chunk => chunk.Document).Distinct(StringComparer.Ordinal).Count();
        while (await reader.NumberAsync("select count(*) from assistants.documents where user_id = 'victim'") < all / 3)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
        await product.KillAsync();
        yield return new("documents.killed_after",
            await reader.NumberAsync("select count(*) from assistants.documents where user_id = 'victim'"), "pages");
        await product.StartAsync();
        await reader.WaitAsync("victim", job, progress => NoteAsync(progress));
        yield return new("documents.killed_different", Different(after, await reader.StateAsync("victim")), "chunks", Bound: 0);

        // How many find their page among the sources of the five best pieces.
        async Task<int> AnsweredAsync((string Question, string Page)[] questions)
        {
            var found = 0;
            foreach (var (question, page) in questions)
            {
                var began = TimeProvider.System.GetTimestamp();
                var sources = await reader.SearchAsync("reader", question);
                times.Add(TimeProvider.System.GetElapsedTime(began).TotalMilliseconds);
                if (sources.Exists(source => source.EndsWith($"/{page}", StringComparison.Ordinal)))
                {
                    found++;
                    continue;
                }
                var instead = string.Join(' ', sources.Select(source => source[(source.LastIndexOf('/') + 1)..]));
                await NoteAsync($"Not found: {question} ({page}), instead {instead}");
            }
            return found;
        }
    }

    /// <summary>
    /// Chunks that one has and the other has not; that an index stands twice in a document the database itself rules out.
    /// </summary>
    private static int Different(IReadOnlyCollection<StoredChunk> one, IReadOnlyCollection<StoredChunk> other) =>
        one.Except(other).Count() + other.Except(one).Count() + Math.Abs(one.Count - other.Count);
}

/// <summary>A chunk as it is stored: whose, which, and what it says.</summary>
internal sealed record StoredChunk(string Document, string Index, string Hash);
