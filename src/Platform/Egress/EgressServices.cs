using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Stoa.Platform.Egress;

public static class EgressServices
{
    /// <summary>
    /// How all clients by name connect, and the guarded one for user-given addresses; for services of the operator there is
    /// <see cref="AddEgressClient"/>.
    /// </summary>
    public static IServiceCollection AddEgress(this IServiceCollection services)
    {
        services.AddSettings<EgressOptions>("Egress");
        services.AddSingleton<IValidateOptions<EgressOptions>, EgressOptionsValidator>();
        services.TryAddSingleton<HostResolver>(Dns.GetHostAddressesAsync);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<AddressGuard>();
        services.AddSingleton<GuardedClient>();
        services.ConfigureHttpClientDefaults(static clients => clients.UseSocketsHttpHandler(
            static (handler, _) => handler.ConnectCallback = Connections.ConnectAsync));
        return services;
    }

    /// <summary>A client by name (<see cref="IHttpClientFactory"/>) that retries, breaks its circuit and times out.</summary>
    public static IHttpClientBuilder AddEgressClient(
        this IServiceCollection services, string name, Action<ResilienceOptions>? configure = null)
    {
        var options = new ResilienceOptions();
        configure?.Invoke(options);
        return services.AddHttpClient(name, static client => client.Timeout = Timeout.InfiniteTimeSpan)
            .UseSocketsHttpHandler(static (handler, _) =>
            {
                handler.ConnectTimeout = TimeSpan.FromSeconds(10);
                handler.PooledConnectionLifetime = TimeSpan.FromMinutes(5);
                handler.UseCookies = false;
            })
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan) // the pool renews its connections itself, and the circuit must not forget
            .RemoveAllLoggers()
            .AddHttpMessageHandler(provider => new ResilienceHandler(options, provider.GetRequiredService<TimeProvider>()));
    }

    /// <summary>Says that this request may be sent twice although its method does not say so.</summary>
    public static HttpRequestMessage MayRepeat(this HttpRequestMessage request)
    {
        request.Options.Set(ResilienceHandler.Repeatable, value: true);
        return request;
    }
}
