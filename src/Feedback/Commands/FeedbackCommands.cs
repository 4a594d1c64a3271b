using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Feedback.Consistency;
using Stoa.Feedback.Datasets;
using Stoa.Feedback.HuggingFace;
using Stoa.Feedback.Rankings;
using Stoa.Feedback.Trees;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Commands;

/// <summary>What an export takes, in the words of the command line.</summary>
public sealed record ExportTerms
{
    /// <summary>tree, flat, csv, sft, prompt-completion, preference, kto, prompt-only, sharegpt, openai or openai-preference.</summary>
    public string Format { get; init; } = "tree";
    public bool IncludeDeleted { get; init; }
    public bool DeletedOnly { get; init; }
    public bool IncludeSpam { get; init; }
    public bool SpamOnly { get; init; }
    public bool IncludeSynthetic { get; init; }
    public bool SyntheticOnly { get; init; }
    public Guid? User { get; init; }

    /// <summary><c>all</c>, or a state of trees.</summary>
    public string? State { get; init; }
    public string? Lang { get; init; }
    public DateTimeOffset? From { get; init; }
    public DateTimeOffset? Before { get; init; }
    public bool PromptsOnly { get; init; }
    public bool WithLabels { get; init; }
    public bool WithEvents { get; init; }

    /// <summary><c>quality=0.5</c>.</summary>
    public IReadOnlyList<string> LabelAtLeast { get; init; } = [];
    public IReadOnlyList<string> LabelAtMost { get; init; } = [];
    public int? Limit { get; init; }

    /// <summary>0: ids in clear.</summary>
    public int AnonymizerSeed { get; init; }

    /// <summary>all, adjacent or best-versus-rest.</summary>
    public string Pairs { get; init; } = "all";
    public bool AsText { get; init; }
    public bool WithoutPrompt { get; init; }
    public double QualityAtLeast { get; init; } = 0.5;

    /// <summary><c>train=0.9,test=0.1</c>.</summary>
    public string? Splits { get; init; }
}

/// <summary>What an import takes.</summary>
/// <param name="Origin">The file's name unless given.</param>
public sealed record ImportTerms(
    string? Origin = null, string? ModelName = null, int Activate = 0, long? Limit = null, bool IsDryRun = false, bool KeepStates = false);

/// <summary>What an operator does with trees from the command line; each tells its lines as it goes.</summary>
public sealed class FeedbackCommands
{
    private readonly IServiceProvider services;

    internal FeedbackCommands(IServiceProvider services) => this.services = services;

    /// <summary>To a file, or as lines to <paramref name="output"/> when the path is null.</summary>
    /// <exception cref="Failure">Invalid: the terms contradict each other.</exception>
    public Task ExportAsync(string? path, ExportTerms terms, Stream output, Action<string> tell, CancellationToken ct) =>
        ActivatorUtilities.CreateInstance<ExportCommand>(services).RunAsync(path, terms, output, tell, ct);

    /// <exception cref="InvalidDataException">A line is wrong; what came before it is in.</exception>
    public async Task ImportAsync(string path, ImportTerms terms, Action<string> tell, CancellationToken ct)
    {
        await using var file = OasstFile.OpenRead(path);
        var counts = await services.GetRequiredService<TreeImport>().RunAsync(
            OasstFile.ReadAsync(file, ct),
            new(terms.Origin ?? Path.GetFileName(path), terms.ModelName, terms.Activate, terms.Limit, terms.IsDryRun, terms.KeepStates),
            new Progress(tell), ct);
        tell(string.Create(CultureInfo.InvariantCulture, $"{(terms.IsDryRun ? "Would import" : "Imported")} {Describe(counts)}."));
    }

    public async Task RerankAsync(bool commit, Action<string> tell, CancellationToken ct)
    {
        var counts = await services.GetRequiredService<Rerank>().RunAsync(commit, progress: null, ct);
        tell(string.Create(
            CultureInfo.InvariantCulture,
            $"{counts.Trees} trees, {counts.Parents} ranked parents, {counts.Changed} ranks {(commit ? "changed" : "would change; --commit writes them")}."));
    }

    public async Task RetryScoringAsync(Action<string> tell, CancellationToken ct)
    {
        var (trees, scored) = await services.GetRequiredService<RetryScoring>().RunAsync(ct);
        tell(string.Create(
            CultureInfo.InvariantCulture, $"{trees} trees looked at again: {scored} are ready for export, {trees - scored} are not."));
    }

    /// <summary>Toxicity and vectors of messages that lack them, one call after the other with a pause between.</summary>
    public async Task UpdateAttributesAsync(TimeSpan pause, Action<string> tell, CancellationToken ct)
    {
        var options = services.GetRequiredService<IOptions<HuggingFaceOptions>>().Value;
        if (!options.ChecksToxicity && !options.MakesEmbeddings)
        {
            throw Failure.Invalid("Feedback:HuggingFace:ApiKey is not set, or both kinds are skipped");
        }
        var (source, time) = (services.GetRequiredService<NpgsqlDataSource>(), services.GetRequiredService<TimeProvider>());
        var handler = services.GetRequiredService<AnalyzeMessageHandler>();
        (DateTimeOffset, Guid)? after = null;
        var (done, failed) = (0, 0);
        while (await FindUnanalyzedHandler.FindAsync(source, options, DateTimeOffset.MinValue, after, 1_000, ct) is [.., var last] found)
        {
            after = last;
            foreach (var (_, id) in found)
            {
                try
                {
                    await handler.AnalyzeAsync(id, ct);
                    done++;
                }
                catch (HuggingFaceException error)
                {
                    failed++;
                    tell($"{id}: {error.Message}");
                    await Task.Delay(error.Wait ?? TimeSpan.Zero, time, ct);
                }
                await Task.Delay(pause, time, ct);
            }
        }
        tell(string.Create(CultureInfo.InvariantCulture, $"{done} messages looked at, {failed} failed."));
    }

    /// <summary>True when every rule holds.</summary>
    public async Task<bool> CheckAsync(Action<string> tell, CancellationToken ct)
    {
        var allHold = true;
        await foreach (var rule in services.GetRequiredService<TreeCheck>().RunAsync(ct))
        {
            allHold &= rule.Holds;
            tell(rule.Holds ? $"ok      {rule.Rule}" : string.Create(
                CultureInfo.InvariantCulture, $"broken  {rule.Rule}: {rule.Count}, such as {string.Join(", ", rule.Examples)}"));
        }
        return allHold;
    }

    public async Task RebuildAsync(bool commit, Action<string> tell, CancellationToken ct)
    {
        var trees = await services.GetRequiredService<StateRebuild>().RunAsync(commit, ct);
        tell(string.Create(
            CultureInfo.InvariantCulture,
            $"{trees.Count} trees {(commit ? "were put" : "would be put (--commit does it)")} where the journal says."));
    }

    private static string Describe(TreeImportCounts counts) => string.Create(
        CultureInfo.InvariantCulture,
        $"{counts.Messages} messages in {counts.Trees} new trees from {counts.Lines} lines; {counts.Known} were there, {counts.Orphans} had no parent");

    private sealed class Progress(Action<string> tell) : IProgress<TreeImportCounts>
    {
        public void Report(TreeImportCounts value) => tell(Describe(value));
    }
}
