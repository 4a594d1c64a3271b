using System.ComponentModel.DataAnnotations;

namespace Stoa.Gateway.Delivery;

internal enum PushMode
{
    /// <summary>Clients listen to us.</summary>
    Builtin,

    /// <summary>A foreign push service delivers; we hand messages over to it.</summary>
    RtLayer,
}

internal sealed class PushOptions
{
    /// <summary>The foreign push service; it must speak RTLayer's protocol.</summary>
    [Required, Url]
    public string Url { get; set; } = "https://api.rtlayer.com";

    /// <summary>Its key, where a request brings none.</summary>
    public string? ApiKey { get; set; }
}

internal sealed class QueueOptions
{
    /// <summary>RabbitMQ (<c>amqp://user:password@host:5672/vhost</c>). Without it runs wait as jobs in the database.</summary>
    public string? Url { get; set; }

    /// <summary>The main queue; the others are called after it.</summary>
    public string? Name { get; set; }

    /// <summary>Runs that one process has at work at the same time.</summary>
    [Range(1, 1_000)]
    public int Prefetch { get; set; } = 50;

    /// <summary>Whether this process runs what is queued. A process that is no worker never does.</summary>
    public bool Consumes { get; set; } = true;

    /// <summary>What waited longer is answered with an error instead of being run.</summary>
    [Range(10, 86_400)]
    public int MaxAgeSeconds { get; set; } = 600;
}
