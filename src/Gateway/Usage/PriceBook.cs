using System.Collections.Frozen;
using System.Globalization;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Providers;

namespace Stoa.Gateway.Usage;

/// <summary>US dollars for a million tokens, from a moment on.</summary>
internal sealed record Price(
    string Provider, string Model, DateTimeOffset ValidFrom, decimal Input, decimal CacheRead, decimal CacheWrite, decimal Output);

/// <summary>The prices in force, in memory. A call is priced when it ends and never again.</summary>
internal sealed class PriceBook
{
    private const decimal PerMillion = 1_000_000;

    /// <summary>Tokens of an answer that nobody has bounded, for estimates.</summary>
    private const long UsualOutput = 1_000;

    private FrozenDictionary<(string Provider, string Model), Price> current = FrozenDictionary<(string, string), Price>.Empty;

    public void Replace(IEnumerable<Price> prices) =>
        current = prices.ToFrozenDictionary(price => (price.Provider, price.Model));

    /// <summary>The cost, rounded to ten places; null when the model has no price.</summary>
    /// <remarks>
    /// <c>fresh × input + cache_read × … + cache_write × … + output × …</c>; cached tokens are part of the input and reasoning is part of
    /// the output, so neither is counted twice.
    /// </remarks>
    public decimal? Cost(ModelTarget target, in TokenUsage usage) => Find(target) is { } price ? Cost(price, usage) : null;

    public static decimal Cost(Price price, in TokenUsage usage)
    {
        var fresh = Math.Max(0, usage.Input - usage.CacheRead - usage.CacheWrite);
        return decimal.Round(
            ((fresh * price.Input) + (usage.CacheRead * price.CacheRead)
                + (usage.CacheWrite * price.CacheWrite) + (usage.Output * price.Output))
            / PerMillion,
            10);
    }

    /// <summary>
    /// What a call may come to before it is made: all of its prompt, and the longest answer that it asks for. 0 without a price.
    /// </summary>
    public decimal Estimate(ModelTarget target, long input, long maxOutput) =>
        Cost(target, new(input, maxOutput > 0 ? maxOutput : UsualOutput)) ?? 0;

    /// <summary>
    /// A price set for the provider by its name wins over one for its kind. A dated model (<c>gpt-4.1-2025-04-14</c>,
    /// <c>claude-sonnet-4-20250514</c>) that has none of its own costs what its family does.
    /// </summary>
    public Price? Find(ModelTarget target) =>
        Find(target.Provider, target.Model) ?? (FamilyOf(target.Model) is { } family ? Find(target.Provider, family) : null);

    private Price? Find(Provider provider, string model) =>
        current.GetValueOrDefault((provider.Name, model)) ?? current.GetValueOrDefault((provider.Kind.Name, model));

    private static string? FamilyOf(string model)
    {
        foreach (var format in (ReadOnlySpan<string>)["-yyyy-MM-dd", "-yyyyMMdd"])
        {
            if (model.Length > format.Length
                && DateOnly.TryParseExact(
                    model.AsSpan(model.Length - format.Length), format, CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            {
                return model[..^format.Length];
            }
        }
        return null;
    }
}
