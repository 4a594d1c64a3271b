using System.Globalization;
using Stoa.Bench.Documents;

namespace Stoa.Bench.Scenarios;

/// <summary>
/// One search after the other over HTTP, each of another user, among a million pieces of documents of all of them: their words, their
/// vectors and what is read of those that were found.
/// </summary>
internal sealed class DocumentsSearchScenario : Scenario
{
    private const double Bound = 50; // milliseconds

    internal override string Name => "documents-search";

    internal override string Purpose => "searches among a million pieces of documents [--quick true] [--pieces N] [--rounds N]";

    internal override async IAsyncEnumerable<Figure> MeasureAsync(Arguments arguments)
    {
        var pieces = arguments.Flag("quick") ? 30_000 : arguments.Number("pieces", 1_000_000);
        var rounds = arguments.Number("rounds", 400);
        await using var product = Product.Prepare();
        using var reader = await DocumentsReader.PrepareAsync(product, "http://127.0.0.1:1", pages: 1);
        await product.StartAsync();
        var began = TimeProvider.System.GetTimestamp();
        await NoteAsync($"Filling {pieces:N0} pieces");
        await product.SqlAsync(SearchRows.Sql(pieces));
        await NoteAsync($"Filled in {TimeProvider.System.GetElapsedTime(began)}");
        yield return new("documents_search.pieces", await reader.NumberAsync("select count(*) from assistants.document_chunks"), "");
        yield return new(
            "documents_search.users", await reader.NumberAsync("select count(distinct user_id) from assistants.document_chunks"), "");

        var random = new Random(11);
        await TimesAsync("large", SearchRows.LargeUsers(pieces), 20);
        foreach (var (kind, users) in ((string, int)[])[("large", SearchRows.LargeUsers(pieces)), ("small", SearchRows.SmallUsers(pieces))])
        {
            var times = await TimesAsync(kind, users, rounds);
            yield return new($"documents_search.{kind}_p50", times[times.Count / 2], "ms");
            yield return new($"documents_search.{kind}_p95", times[times.Count * 95 / 100], "ms", arguments.Flag("quick") ? null : Bound);
            yield return new($"documents_search.{kind}_slowest", times[^1], "ms");
        }

        // In order of their length.
        async Task<List<double>> TimesAsync(string kind, int users, int count)
        {
            var times = new List<double>(count);
            for (var round = 0; round < count; round++)
            {
                var user = string.Create(CultureInfo.InvariantCulture, $"{kind}-{random.Next(users)}");
                var question = SearchRows.Question(random);
                var asked = TimeProvider.System.GetTimestamp();
                var found = await reader.SearchAsync(user, question);
                times.Add(TimeProvider.System.GetElapsedTime(asked).TotalMilliseconds);
                if (found.Count == 0 || found.Exists(source => !source.Contains($"/{user}/", StringComparison.Ordinal)))
                {
                    throw new InvalidOperationException($"{user} was answered with {string.Join(", ", found)}");
                }
            }
            times.Sort();
            return times;
        }
    }
}
