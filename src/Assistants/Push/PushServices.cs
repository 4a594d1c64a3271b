using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Platform;
using Stoa.Platform.Egress;

namespace Stoa.Assistants.Push;

internal static class PushServices
{
    public static void AddPush(this WebApplicationBuilder builder)
    {
        builder.AddAlias("FIREBASE_PROJECT_ID", $"{PushOptions.Section}:ProjectId");
        builder.AddAlias("FIREBASE_SERVICE_ACCOUNT", $"{PushOptions.Section}:ServiceAccount");
        var services = builder.Services;
        services.AddSettings<PushOptions>(PushOptions.Section);
        services.AddSingleton<IValidateOptions<PushOptions>, PushOptionsValidator>();
        services.AddEgressClient(Pusher.Client);
        services.AddSingleton<AccessTokens>();
        services.AddScoped<Pusher>();
        services.AddScoped<DeviceStore>();
    }
}
