using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;

namespace Stoa.Platform.Webhooks;

public static class WebhookServices
{
    public static IServiceCollection AddWebhooks(this IServiceCollection services)
    {
        services.AddSettings<WebhookOptions>(WebhookOptions.Section);
        services.AddSingleton<IValidateOptions<WebhookOptions>, WebhookOptionsValidator>();
        services.AddModuleDb<WebhookDb>();
        services.AddSingleton<WebhookOutbox>();
        services.AddSingleton<WebhookSecrets>();
        services.AddSingleton<WebhookSender>();
        services.AddScoped<WebhookStore>();
        services.AddJob<SendWebhook, SendWebhookHandler>(SendWebhook.Kind, WebhookJson.Default.SendWebhook, SendWebhook.Rules);
        services.AddJob<ForgetWebhooks, ForgetWebhooksHandler>(
            ForgetWebhooks.Kind, WebhookJson.Default.ForgetWebhooks, new() { Priority = JobPriority.Low });
        services.AddSchedule(ForgetWebhooks.Kind, new ForgetWebhooks(), "40 3 * * *");
        services.AddJson(WebhookJson.Default);
        return services;
    }

    internal static IEndpointRouteBuilder MapWebhookRoutes(this IEndpointRouteBuilder routes)
    {
        routes.MapOwnApi().MapWebhooks();
        return routes;
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(List<WebhookAttempt>))]
[JsonSerializable(typeof(List<KeyValuePair<string, string>>))]
[JsonSerializable(typeof(SendWebhook))]
[JsonSerializable(typeof(ForgetWebhooks))]
[JsonSerializable(typeof(IReadOnlyList<WebhookSecret>))]
[JsonSerializable(typeof(WebhooksApi.SecretTerms))]
[JsonSerializable(typeof(WebhooksApi.NewSecret))]
[JsonSerializable(typeof(Listing<WebhookRow>))]
[JsonSerializable(typeof(WebhooksApi.DeliveryView))]
internal sealed partial class WebhookJson : JsonSerializerContext;
