using System.Globalization;
using Stoa.Feedback.Trees;
using Stoa.Platform.Data;

namespace Stoa.Feedback.Datasets;

/// <summary>Whether those that have something are left out, among the others, or alone.</summary>
internal enum Share
{
    None,
    Included,
    Only,
}

/// <summary>Which trees and messages go out. By itself: accepted and undeleted messages of finished trees that people wrote.</summary>
internal sealed record TreeSelection
{
    public Share Deleted { get; init; }

    /// <summary>Messages that were not accepted.</summary>
    public Share Spam { get; init; }

    /// <summary>Trees with a message that a model wrote.</summary>
    public Share Synthetic { get; init; }

    /// <summary>Null: all.</summary>
    public TreeState? State { get; init; } = TreeState.ReadyForExport;
    public string? Lang { get; init; }
    public Guid? UserId { get; init; }

    /// <summary>When the tree was begun.</summary>
    public DateTimeOffset? From { get; init; }
    public DateTimeOffset? Before { get; init; }

    public bool PromptsOnly { get; init; }
    public bool WithLabels { get; init; }
    public bool WithEvents { get; init; }

    /// <summary>
    /// Messages whose mean of a label is below or above are left out, with what is below them; one without the label stays.
    /// </summary>
    public IReadOnlyDictionary<string, double> LabelAtLeast { get; init; } = new Dictionary<string, double>();
    public IReadOnlyDictionary<string, double> LabelAtMost { get; init; } = new Dictionary<string, double>();

    public int? Limit { get; init; }

    /// <summary>Single messages come out, since their trees are not whole.</summary>
    public bool IsFlat => UserId is not null || Deleted == Share.Only || Spam == Share.Only || Synthetic == Share.Only;

    public bool NeedsLabels => WithLabels || LabelAtLeast.Count > 0 || LabelAtMost.Count > 0;

    public bool Takes(OasstMessage message) =>
        LabelAtLeast.All(least => Mean(message, least.Key) is not { } mean || mean >= least.Value)
        && LabelAtMost.All(most => Mean(message, most.Key) is not { } mean || mean <= most.Value);

    /// <summary>What was chosen, for a manifest.</summary>
    public Dictionary<string, string> Describe()
    {
        var filters = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["deleted"] = EnumNames<Share>.Write(Deleted), ["spam"] = EnumNames<Share>.Write(Spam),
            ["synthetic"] = EnumNames<Share>.Write(Synthetic),
            ["state"] = State is { } state ? EnumNames<TreeState>.Write(state) : "all",
        };
        foreach (var (name, value) in (ReadOnlySpan<(string, string?)>)[
            ("lang", Lang), ("user", UserId?.ToString()), ("from", From?.ToString("O", CultureInfo.InvariantCulture)),
            ("before", Before?.ToString("O", CultureInfo.InvariantCulture)), ("prompts_only", PromptsOnly ? "true" : null),
            ("limit", Limit?.ToString(CultureInfo.InvariantCulture)),
            ("label_at_least", Bounds(LabelAtLeast)), ("label_at_most", Bounds(LabelAtMost))])
        {
            if (value is not null)
            {
                filters[name] = value;
            }
        }
        return filters;
    }

    private static double? Mean(OasstMessage message, string label) => message.Labels?.GetValueOrDefault(label)?.Value;

    private static string? Bounds(IReadOnlyDictionary<string, double> bounds) => bounds.Count == 0 ? null
        : string.Join(',', bounds.OrderBy(one => one.Key, StringComparer.Ordinal).Select(
            one => string.Create(CultureInfo.InvariantCulture, $"{one.Key}={one.Value}")));
}
