using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.Configuration.EnvironmentVariables;

namespace Stoa.Platform.Hosting;

/// <summary>Where a setting's value came from, in the words of the person who set it.</summary>
public static class SettingSource
{
    public const string Default = "default";

    private static readonly string[] Prefixes = ["", "ASPNETCORE_", "DOTNET_"];

    public static string Of(IConfiguration configuration, string key)
    {
        if (configuration is not IConfigurationRoot root)
        {
            return Default;
        }
        foreach (var provider in root.Providers.Reverse())
        {
            if (provider.TryGet(key, out _))
            {
                return Name(provider, key);
            }
        }
        return Default;
    }

    /// <summary>Whether a value must not be shown.</summary>
    public static bool IsSecret(string key) =>
        key.StartsWith("ConnectionStrings:", StringComparison.OrdinalIgnoreCase)
        || key.EndsWith("Key", StringComparison.OrdinalIgnoreCase)
        || key.Contains("Secret", StringComparison.OrdinalIgnoreCase)
        || key.Contains("Password", StringComparison.OrdinalIgnoreCase)
        || key.EndsWith("Token", StringComparison.OrdinalIgnoreCase)
        || key.EndsWith("ServiceAccount", StringComparison.OrdinalIgnoreCase)
        || key.EndsWith("Webhook", StringComparison.OrdinalIgnoreCase)
        || key.Contains("Tokens:", StringComparison.OrdinalIgnoreCase);

    private static string Name(IConfigurationProvider provider, string key) => provider switch
    {
        ChainedConfigurationProvider chained => Of(chained.Configuration, key),
        AliasProvider alias => $"environment variable {alias.Variable}",
        EnvironmentVariablesConfigurationProvider => $"environment variable {Variable(key)}",
        FileConfigurationProvider file => $"file {file.Source.Path}",
        CommandLineConfigurationProvider => "command line",
        _ => Default,
    };

    private static string Variable(string key)
    {
        var name = key.Replace(":", "__", StringComparison.Ordinal);
        return Environment.GetEnvironmentVariables().Keys.Cast<string>()
            .FirstOrDefault(variable => Prefixes.Any(prefix => variable.Equals(prefix + name, StringComparison.OrdinalIgnoreCase))) ?? name;
    }
}
