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
        return problems.Count > 0 ? ValidateOptionsResult.Fail(problems) : ValidateOptionsResult.Success;
    }
}
