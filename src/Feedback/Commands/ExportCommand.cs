using System.Globalization;
using System.Text.Json;
using Stoa.Feedback.Datasets;
using Stoa.Feedback.Trees;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Commands;

/// <summary>Reads what an operator asks for, and writes it: whole trees or rows to a dataset, single messages as lines.</summary>
internal sealed class ExportCommand(TreeSource source)
{
    private const int TellEvery = 1_000;

    public async Task RunAsync(string? path, ExportTerms terms, Stream output, Action<string> tell, CancellationToken ct)
    {
        var shape = new TrainingShape(
            Word<DatasetFormat>(terms.Format, "format"), Word<PairPolicy>(terms.Pairs, "pairs"),
            terms.AsText, terms.WithoutPrompt, terms.QualityAtLeast);
        var selection = Selection(terms, shape);
        var pseudonyms = new Pseudonyms(terms.AnonymizerSeed);
        if (selection.IsFlat && shape.Format is not (DatasetFormat.Tree or DatasetFormat.Flat))
        {
            throw Failure.Invalid("Single messages come out in the forms tree and flat only");
        }
        if (selection.IsFlat || path is null)
        {
            await WriteLinesAsync(path, selection, shape, pseudonyms, output, tell, ct);
            return;
        }
        var splits = terms.Splits is null ? DatasetSplits.None
            : DatasetSplits.Parse(terms.Splits)
            ?? throw Failure.Invalid("splits are names with shares that add up to 1, such as train=0.9,test=0.1");
        await using var writer = await DatasetWriter.OpenAsync(path, shape, splits, pseudonyms, Describe(terms, selection, splits), ct);
        if (writer.After is { } after)
        {
            tell($"Goes on after tree {after}.");
        }
        var trees = 0L;
        // What was cut off had a part of the limit.
        await foreach (var (id, tree) in source.TreesAsync(selection with { Limit = selection.Limit - writer.Given }, writer.After, ct))
        {
            await writer.AddAsync(id, tree, ct);
            if (++trees % TellEvery == 0)
            {
                tell(string.Create(CultureInfo.InvariantCulture, $"{trees} trees"));
            }
        }
        var manifest = await writer.CompleteAsync(ct);
        foreach (var part in manifest.Parts)
        {
            tell(string.Create(
                CultureInfo.InvariantCulture, $"{part.File}: {part.Rows} rows of {part.Trees} trees, SHA-256 {part.Sha256}"));
        }
    }

    private async Task WriteLinesAsync(
        string? path, TreeSelection selection, TrainingShape shape,
        Pseudonyms pseudonyms, Stream output, Action<string> tell, CancellationToken ct)
    {
        await using var lines = path is null ? new DatasetLines(output, ownsStream: false) : DatasetLines.Create(path);
        if (selection.IsFlat)
        {
            await foreach (var message in source.MessagesAsync(selection, ct))
            {
                await lines.WriteAsync(
                    json => JsonSerializer.Serialize(json, pseudonyms.Apply(message), DatasetJson.Default.OasstMessage), ct);
            }
        }
        else
        {
            await foreach (var (_, tree) in source.TreesAsync(selection, after: null, ct))
            {
                await lines.WriteAsync(pseudonyms.Apply(tree), shape, ct);
            }
        }
        tell(string.Create(CultureInfo.InvariantCulture, $"{lines.Count} lines"));
    }

    private static TreeSelection Selection(ExportTerms terms, TrainingShape shape)
    {
        if (terms.User is not null && terms.State is not null)
        {
            throw Failure.Invalid("user and state cannot be given together");
        }
        return new()
        {
            Deleted = Share(terms.IncludeDeleted, terms.DeletedOnly),
            Spam = Share(terms.IncludeSpam, terms.SpamOnly),
            Synthetic = Share(terms.IncludeSynthetic, terms.SyntheticOnly),
            State = terms.State switch { null => TreeState.ReadyForExport, "all" => null, var state => Word<TreeState>(state, "state") },
            Lang = terms.Lang,
            UserId = terms.User,
            From = terms.From?.ToUniversalTime(),
            Before = terms.Before?.ToUniversalTime(),
            PromptsOnly = terms.PromptsOnly || shape.Format == DatasetFormat.PromptOnly,
            WithLabels = terms.WithLabels || shape.Format == DatasetFormat.Kto,
            WithEvents = terms.WithEvents,
            LabelAtLeast = Bounds(terms.LabelAtLeast),
            LabelAtMost = Bounds(terms.LabelAtMost),
            Limit = terms.Limit,
        };
    }

    private static Share Share(bool included, bool only) =>
        only ? Datasets.Share.Only : included ? Datasets.Share.Included : Datasets.Share.None;

    private static Dictionary<string, double> Bounds(IReadOnlyList<string> texts)
    {
        var bounds = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            if (text.Split('=') is not [{ Length: > 0 } label, var number]
                || !double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var bound))
            {
                throw Failure.Invalid($"'{text}' is no bound of a label, such as quality=0.5");
            }
            bounds[label] = bound;
        }
        return bounds;
    }

    /// <summary>All that has a say in the bytes.</summary>
    private static Dictionary<string, string> Describe(ExportTerms terms, TreeSelection selection, DatasetSplits splits)
    {
        var filters = selection.Describe();
        filters["pairs"] = terms.Pairs;
        filters["quality_at_least"] = terms.QualityAtLeast.ToString(CultureInfo.InvariantCulture);
        foreach (var (name, isSet) in (ReadOnlySpan<(string, bool)>)[
            ("as_text", terms.AsText), ("without_prompt", terms.WithoutPrompt), ("anonymized", terms.AnonymizerSeed != 0),
            ("with_labels", terms.WithLabels), ("with_events", terms.WithEvents)])
        {
            if (isSet)
            {
                filters[name] = "true";
            }
        }
        if (!splits.IsNone)
        {
            filters["splits"] = splits.ToString();
        }
        return filters;
    }

    /// <summary>Hyphens and underscores are for the eye.</summary>
    private static T Word<T>(string text, string name)
        where T : struct, Enum =>
        Enum.TryParse<T>(
            text.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal), ignoreCase: true, out var value)
        && Enum.IsDefined(value)
            ? value
            : throw Failure.Invalid($"{name} is one of {string.Join(", ", Enum.GetValues<T>().Select(EnumNames<T>.Write))}");
}
