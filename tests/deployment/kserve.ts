// What KServe takes of a runtime and a service, as far as our manifest says it: a name that is not here is an error.
// Source: github.com/kserve/kserve, pkg/apis/serving: v1alpha1/servingruntime_types.go, v1beta1/component.go and
// predictor.go.
// SPDX-License-Identifier: MIT
import type { IContainer } from 'kubernetes-models/v1';

interface IMetadata {
  name: string;
}

export interface IServingRuntime {
  apiVersion: 'serving.kserve.io/v1alpha1';
  kind: 'ServingRuntime';
  metadata: IMetadata;
  spec: {
    supportedModelFormats?: { name: string; version?: string; autoSelect?: boolean; priority?: number }[];
    multiModel?: boolean;
    disabled?: boolean;
    protocolVersions?: ('v1' | 'v2' | 'grpc-v1' | 'grpc-v2')[];
    annotations?: Record<string, string>;
    labels?: Record<string, string>;
    containers: IContainer[];
  };
}

export interface IInferenceService {
  apiVersion: 'serving.kserve.io/v1beta1';
  kind: 'InferenceService';
  metadata: IMetadata;
  spec: {
    predictor: {
      minReplicas?: number;
      maxReplicas?: number;
      scaleTarget?: number;
      scaleMetric?: 'cpu' | 'memory' | 'concurrency' | 'rps';
      timeout?: number;
      model: {
        runtime?: string;
        modelFormat: { name: string; version?: string };
        protocolVersion?: 'v1' | 'v2' | 'grpc-v1' | 'grpc-v2';
        storageUri?: string;
      };
    };
  };
}
