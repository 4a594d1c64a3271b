using System.Text.Json.Nodes;
using Stoa.Gateway.Dialects.Gtwy;

namespace Stoa.Gateway.Configuration;

/// <summary>What an agent (<c>bridge</c>), a folder or a key (<c>apikey</c>) may cost; of it what a body gives.</summary>
internal sealed record SpendingTerms(decimal? Limit, decimal? Usage, string? Period, DateTimeOffset? Start)
{
    public static SpendingTerms Of(JsonObject body, string scope) => new(
        body.Amount($"{scope}_limit"), body.Amount($"{scope}_usage"),
        body.Word($"{scope}_limit_reset_period", "monthly", "weekly", "daily"),
        body.Instant($"{scope}_limit_start_date"));

    /// <summary>Another period begins anew, unless the body says when.</summary>
    public IEnumerable<string> ApplyTo(JsonObject document, DateTimeOffset now, string scope)
    {
        List<string> changed = [];
        void Set(string field, JsonNode value)
        {
            if (!JsonNode.DeepEquals(document[field], value))
            {
                document[field] = value;
                changed.Add(field);
            }
        }

        if (Limit is { } limit)
        {
            Set($"{scope}_limit", limit);
        }
        if (Usage is { } usage)
        {
            Set($"{scope}_usage", usage);
            // The budget is set back to it, also when the document says the same since long ago.
            document[$"{scope}_usage_set_at"] = GtwyFields.InstantText(now);
        }
        if (Period is not null)
        {
            Set($"{scope}_limit_reset_period", Period);
        }
        if (Start is not null || changed.Contains($"{scope}_limit_reset_period"))
        {
            Set($"{scope}_limit_start_date", GtwyFields.InstantText(Start ?? now));
        }
        return changed;
    }
}
