using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Stoa.Platform;

/// <summary>
/// Names under which the systems whose clients we serve know settings of ours. They are the weakest source: whatever says the same
/// under our own name wins.
/// </summary>
public static class SettingAliases
{
    public static void AddAlias(this WebApplicationBuilder builder, string variable, string setting)
    {
        builder.Services.AddSingleton(new SettingAlias(variable, setting));
        if (builder.Configuration[KeyOf(variable)] is { Length: > 0 } value)
        {
            builder.Configuration.Sources.Insert(0, new AliasSource(variable, new() { [setting] = value }));
        }
    }

    /// <summary>
    /// A list out of several variables, each one text or a JSON list of texts. Ignored where the list has an entry of its own.
    /// </summary>
    public static void AddListAlias(this WebApplicationBuilder builder, string setting, params string[] variables)
    {
        var isSet = builder.Configuration.GetSection(setting).GetChildren().Any();
        List<string> values = [];
        foreach (var variable in variables)
        {
            builder.Services.AddSingleton(new SettingAlias(variable, setting));
            values.AddRange(isSet ? [] : Texts(builder.Configuration[KeyOf(variable)]));
        }
        var entries = values.Distinct(StringComparer.Ordinal).Select((value, index) =>
            KeyValuePair.Create(string.Create(CultureInfo.InvariantCulture, $"{setting}:{index}"), (string?)value));
        builder.Configuration.Sources.Insert(0, new AliasSource(string.Join(" or ", variables), entries.ToDictionary()));
    }

    // Two low lines in a variable's name are one level of settings.
    private static string KeyOf(string variable) => variable.Replace("__", ":", StringComparison.Ordinal);

    private static string[] Texts(string? value)
    {
        if (string.IsNullOrWhiteSpace(value))
        {
            return [];
        }
        try
        {
            return value.TrimStart().StartsWith('[')
                ? [.. JsonDocument.Parse(value).RootElement.EnumerateArray().Select(text => text.ToString())]
                : [value];
        }
        catch (JsonException)
        {
            return [value];
        }
    }

    private sealed class AliasSource(string variable, Dictionary<string, string?> values) : IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => new AliasProvider(variable, values);
    }
}

internal sealed record SettingAlias(string Variable, string Setting);

internal sealed class AliasProvider : ConfigurationProvider
{
    public AliasProvider(string variable, Dictionary<string, string?> values)
    {
        Variable = variable;
        Data = new Dictionary<string, string?>(values, StringComparer.OrdinalIgnoreCase);
    }

    public string Variable { get; }
}
