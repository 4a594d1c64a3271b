using System.CommandLine;
using Stoa.Feedback.Commands;
using Stoa.Platform.Http;

namespace Stoa.Host.Verbs;

/// <summary><c>stoa feedback …</c>: message trees in and out by files, ranked again, and checked.</summary>
internal static class FeedbackVerb
{
    public static Command Create(WithServices withServices) =>
        new("feedback", "Message trees: import, export, rerank, retry-scoring, update-attributes, check, rebuild")
        {
            ImportCommand(withServices), ExportCommand(withServices), RerankCommand(withServices), RetryCommand(withServices),
            AttributesCommand(withServices), CheckCommand(withServices), RebuildCommand(withServices),
        };

    private static Command ImportCommand(WithServices withServices)
    {
        var file = new Argument<FileInfo>("file") { Description = "JSON lines of trees or messages, plain or gzip" };
        file.AcceptExistingOnly();
        var origin = new Option<string?>("--origin") { Description = "Where they are from (default: the name of the file)" };
        var model = new Option<string?>("--model_name") { Description = "Model of messages that name none" };
        var activate = new Option<int>("--num_activate") { Description = "So many of the first trees are to be ranked at once" };
        var limit = new Option<long?>("--max_count") { Description = "So many lines at most" };
        var dryRun = new Option<bool>("--dry_run") { Description = "Count, and change nothing" };
        var keepStates = new Option<bool>("--keep_states") { Description = "Trees stand where the file says" };
        var command = new Command("import", "Import trees; what is known already is left alone, so a cut import can be begun again")
        {
            file, origin, model, activate, limit, dryRun, keepStates,
        };
        command.SetAction((parsed, ct) => RunAsync(parsed, withServices, async commands =>
        {
            await commands.ImportAsync(
                parsed.GetRequiredValue(file).FullName,
                new(parsed.GetValue(origin), parsed.GetValue(model),
                    parsed.GetValue(activate), parsed.GetValue(limit), parsed.GetValue(dryRun),
                    parsed.GetValue(keepStates)),
                Tell(parsed), ct);
            return 0;
        }, ct));
        return command;
    }

    private static Command ExportCommand(WithServices withServices)
    {
        var file = new Option<string?>("--export-file")
        {
            Description = "File to write, compressed when its name has .gz (default: standard output)",
        };
        var format = new Option<string>("--format")
        {
            Description = "tree, flat, csv, sft, prompt-completion, preference, kto, prompt-only, sharegpt, openai, openai-preference",
            DefaultValueFactory = _ => "tree",
        };
        var includeDeleted = Flag("--include-deleted", "Deleted messages as well");
        var deletedOnly = Flag("--deleted-only", "Deleted messages alone, one per line");
        var includeSpam = Flag("--include-spam", "Messages that were not accepted as well");
        var spamOnly = Flag("--spam-only", "Messages that were not accepted alone, one per line");
        var includeSynthetic = Flag("--include-synthetic", "Trees with a model's messages as well");
        var syntheticOnly = Flag("--synthetic-only", "Messages of trees with a model's messages alone, one per line");
        var user = new Option<Guid?>("--user") { Description = "Messages of this user, one per line; not with --state" };
        var state = new Option<string?>("--state") { Description = "State of the trees, or all (default: ready_for_export)" };
        var lang = new Option<string?>("--lang") { Description = "Language of the trees" };
        var from = new Option<DateTimeOffset?>("--from") { Description = "Trees begun then or later" };
        var before = new Option<DateTimeOffset?>("--before") { Description = "Trees begun earlier" };
        var promptsOnly = Flag("--prompts-only", "Without replies");
        var labels = Flag("--export-labels", "Labels of each message, as means");
        var events = Flag("--export-events", "Emojis, ratings and rankings of each message");
        var least = new Option<string[]>("--label-at-least")
        {
            Description = "Only messages whose mean label is at least that: quality=0.5",
        };
        var most = new Option<string[]>("--label-at-most") { Description = "Only messages whose mean label is at most that: toxicity=0.2" };
        var limit = new Option<int?>("--limit") { Description = "So many trees or lines at most" };
        var seed = new Option<int>("--anonymizer-seed")
        {
            Description = "Pseudonyms instead of ids, drawn with this number (default 0: ids)",
        };
        var pairs = new Option<string>("--pairs")
        {
            Description = "Pairs of ranked replies: all, adjacent, best-versus-rest", DefaultValueFactory = _ => "all",
        };
        var asText = Flag("--as-text", "Texts instead of turns");
        var withoutPrompt = Flag("--without-prompt", "Pairs as whole conversations");
        var quality = new Option<double>("--quality-at-least")
        {
            Description = "kto: from this mean on a reply is good", DefaultValueFactory = _ => 0.5,
        };
        var splits = new Option<string?>("--splits") { Description = "Parts by tree: train=0.9,test=0.1" };
        var command = new Command("export", "Export trees; an export to a file that was cut goes on when it is begun again")
        {
            file, format, includeDeleted, deletedOnly, includeSpam, spamOnly,
            includeSynthetic, syntheticOnly, user, state, lang, from, before,
            promptsOnly, labels, events, least, most, limit, seed, pairs, asText, withoutPrompt, quality, splits,
        };
        command.SetAction((parsed, ct) => RunAsync(parsed, withServices, async commands =>
        {
            await using var output = Console.OpenStandardOutput();
            await commands.ExportAsync(
                parsed.GetValue(file),
                new()
                {
                    Format = parsed.GetRequiredValue(format),
                    IncludeDeleted = parsed.GetValue(includeDeleted),
                    DeletedOnly = parsed.GetValue(deletedOnly),
                    IncludeSpam = parsed.GetValue(includeSpam),
                    SpamOnly = parsed.GetValue(spamOnly),
                    IncludeSynthetic = parsed.GetValue(includeSynthetic),
                    SyntheticOnly = parsed.GetValue(syntheticOnly),
                    User = parsed.GetValue(user),
                    State = parsed.GetValue(state),
                    Lang = parsed.GetValue(lang),
                    From = parsed.GetValue(from),
                    Before = parsed.GetValue(before),
                    PromptsOnly = parsed.GetValue(promptsOnly),
                    WithLabels = parsed.GetValue(labels),
                    WithEvents = parsed.GetValue(events),
                    LabelAtLeast = parsed.GetValue(least) ?? [],
                    LabelAtMost = parsed.GetValue(most) ?? [],
                    Limit = parsed.GetValue(limit),
                    AnonymizerSeed = parsed.GetValue(seed),
                    Pairs = parsed.GetRequiredValue(pairs),
                    AsText = parsed.GetValue(asText),
                    WithoutPrompt = parsed.GetValue(withoutPrompt),
                    QualityAtLeast = parsed.GetValue(quality),
                    Splits = parsed.GetValue(splits),
                },
                output, Tell(parsed), ct);
            return 0;
        }, ct));
        return command;
    }

    private static Command RerankCommand(WithServices withServices)
    {
        var commit = Flag("--commit", "Write the ranks (default: only count the changes)");
        var command = new Command("rerank", "Compute the ranks of finished trees again from all rankings") { commit };
        command.SetAction((parsed, ct) => RunAsync(parsed, withServices, async commands =>
        {
            await commands.RerankAsync(parsed.GetValue(commit), Tell(parsed), ct);
            return 0;
        }, ct));
        return command;
    }

    private static Command RetryCommand(WithServices withServices)
    {
        var command = new Command("retry-scoring", "Look again at trees whose ranks could not be computed");
        command.SetAction((parsed, ct) => RunAsync(parsed, withServices, async commands =>
        {
            await commands.RetryScoringAsync(Tell(parsed), ct);
            return 0;
        }, ct));
        return command;
    }

    private static Command AttributesCommand(WithServices withServices)
    {
        var pause = new Option<double>("--pause") { Description = "Seconds between two messages", DefaultValueFactory = _ => 10 };
        var command = new Command("update-attributes", "Ask for toxicity and vectors of messages that lack them") { pause };
        command.SetAction((parsed, ct) => RunAsync(parsed, withServices, async commands =>
        {
            await commands.UpdateAttributesAsync(TimeSpan.FromSeconds(Math.Clamp(parsed.GetValue(pause), 0, 3_600)), Tell(parsed), ct);
            return 0;
        }, ct));
        return command;
    }

    private static Command CheckCommand(WithServices withServices)
    {
        var command = new Command("check", "Check trees, counts, ranks, tasks and journal; exit code 1 if something is broken");
        command.SetAction((parsed, ct) => RunAsync(
            parsed, withServices,
            async commands => await commands.CheckAsync(line => parsed.InvocationConfiguration.Output.WriteLine(line), ct) ? 0 : 1, ct));
        return command;
    }

    private static Command RebuildCommand(WithServices withServices)
    {
        var commit = Flag("--commit", "Write the states (default: only count the changes)");
        var command = new Command("rebuild", "Put trees into the state that the journal says last") { commit };
        command.SetAction((parsed, ct) => RunAsync(parsed, withServices, async commands =>
        {
            await commands.RebuildAsync(parsed.GetValue(commit), Tell(parsed), ct);
            return 0;
        }, ct));
        return command;
    }

    private static Option<bool> Flag(string name, string description) => new(name) { Description = description };

    /// <summary>Beside the output, which may be the data.</summary>
    private static Action<string> Tell(ParseResult parsed) => parsed.InvocationConfiguration.Error.WriteLine;

    private static Task<int> RunAsync(
        ParseResult parsed, WithServices withServices, Func<FeedbackCommands, Task<int>> work, CancellationToken ct) =>
        withServices(
            async (services, _) =>
            {
                await using var scope = services.CreateAsyncScope();
                try
                {
                    return await work(scope.ServiceProvider.GetRequiredService<FeedbackCommands>());
                }
                catch (Exception problem) when (problem is Failure or InvalidDataException)
                {
                    await parsed.InvocationConfiguration.Error.WriteLineAsync(problem.Message);
                    return 1;
                }
            },
            ct);
}
