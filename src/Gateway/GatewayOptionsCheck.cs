using Microsoft.Extensions.Options;
using Stoa.Gateway.Providers;

namespace Stoa.Gateway;

/// <summary>What attributes cannot say about the providers.</summary>
internal sealed class GatewayOptionsCheck : IValidateOptions<GatewayOptions>
{
    public ValidateOptionsResult Validate(string? name, GatewayOptions options)
    {
        var problems = new List<string>();
        foreach (var (provider, settings) in options.Providers)
        {
            var key = $"Providers:{provider}";
            if (provider.Contains('/', StringComparison.Ordinal))
            {
                problems.Add($"{key} must not hold a slash: it separates provider and model");
            }
            if (ProviderKind.Find(settings.Kind) is not { } kind)
            {
                problems.Add($"{key}:Kind must be one of {string.Join(", ", ProviderKind.Names)}");
            }
            else if (kind is { Dialect: not null, BaseUrl: null } && string.IsNullOrEmpty(settings.BaseUrl))
            {
                problems.Add($"{key}:BaseUrl must be set for the kind {kind.Name}");
            }
            if (!string.IsNullOrEmpty(settings.BaseUrl)
                && (!Uri.TryCreate(settings.BaseUrl, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")))
            {
                problems.Add($"{key}:BaseUrl must be an http or https address");
            }
        }
        if (!string.IsNullOrEmpty(options.Queue.Url)
            && (!Uri.TryCreate(options.Queue.Url, UriKind.Absolute, out var broker) || broker.Scheme is not ("amqp" or "amqps")))
        {
            problems.Add("Queue:Url must be an amqp or amqps address");
        }
        foreach (var (alias, settings) in options.Models)
        {
            CheckAlias($"Models:{alias}", alias, settings, options, problems);
        }
        return problems.Count > 0 ? ValidateOptionsResult.Fail(problems) : ValidateOptionsResult.Success;
    }

    private static void CheckAlias(string key, string name, ModelOptions alias, GatewayOptions options, List<string> problems)
    {
        if (name.Contains('/', StringComparison.Ordinal))
        {
            problems.Add($"{key} must not hold a slash: it separates provider and model");
        }
        if (alias.Targets.Count is 0 or > 16)
        {
            problems.Add($"{key}:Targets must be from 1 to 16");
        }
        foreach (var target in alias.Targets)
        {
            var slash = target.Model.IndexOf('/', StringComparison.Ordinal);
            if (slash <= 0 || slash == target.Model.Length - 1 || !options.Providers.TryGetValue(target.Model[..slash], out var provider)
                || (provider.Models.Count > 0 && !provider.Models.Contains(target.Model[(slash + 1)..], StringComparer.Ordinal)))
            {
                problems.Add($"{key}:Targets names '{target.Model}', which no provider of the settings serves");
            }
            if (target.Weight is < 1 or > 1_000)
            {
                problems.Add($"{key}:Targets has a Weight that is not from 1 to 1000");
            }
        }
    }
}
